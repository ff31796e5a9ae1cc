// Rules of Calico policies and profiles, every field but http, which nothing enforces here. Valid by construction: what
// the API refuses for contradicting itself is not made.
import type { Family } from '../../../src/model/address.ts';
import { anyFamily, cidr, isCatchAll } from './addresses.ts';
import { defined, type Random } from './random.ts';
import { namespaceSelector, selector, serviceAccountSelector } from './selectors.ts';
import {
  ICMP_CODES,
  ICMP_TYPES,
  PORT_NAMES,
  PORT_PROTOCOLS,
  port,
  portRange,
  protocolSpelling,
  SERVICE_ACCOUNTS,
  SERVICE_NAMESPACES,
  SERVICES,
} from './vocabulary.ts';

export type Json = Record<string, unknown>;

/** Whose rule it is: only namespaced policies may leave out a service's namespace. */
export type RuleOwner = 'namespaced' | 'global' | 'profile';

const ICMP = 1;
const ICMPV6 = 58;
const ACTIONS = {
  namespaced: ['Allow', 'Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Log'],
  global: ['Allow', 'Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Log'],
  profile: ['Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Log'],
} as const;

interface ProtocolPart {
  /** Number that the rule's `protocol` means. */
  readonly number?: number;
  readonly fields: Json;
}

export function rule(random: Random, direction: 'ingress' | 'egress', owner: RuleOwner): Json {
  const serviceSide = direction === 'ingress' ? 'source' : 'destination';
  const hasService = random.chance(12);
  // Backends have a protocol of their own: a rule that asks for another one as well rarely matches.
  const { number, fields } = hasService && random.chance(75) ? { fields: {} } : protocolPart(random);
  const ipVersion = random.maybe(10, () => anyFamily(random));
  const isAllowed = ipVersion === undefined || isVersionAllowed(ipVersion, fields);
  const family = (isAllowed ? ipVersion : undefined) ?? anyFamily(random);
  const side = (of: 'source' | 'destination'): Json | undefined => {
    if (hasService && of === serviceSide) return serviceEntity(random, owner, number, of);
    return random.maybe(hasService ? 20 : 45, () => entity(random, number, family));
  };
  const action = random.pick<string>(ACTIONS[owner]);
  return defined({
    action: random.chance(10) ? random.pick([action.toLowerCase(), action.toUpperCase()]) : action,
    ...fields,
    ipVersion: isAllowed ? ipVersion : undefined,
    source: side('source'),
    destination: side('destination'),
    metadata: random.maybe(3, () => ({ annotations: { note: 'generated' } })),
  });
}

/** protocol or notProtocol, both, or neither; with ICMP conditions where they may stand. */
function protocolPart(random: Random): ProtocolPart {
  const number = random.maybe(50, () => ruleProtocol(random));
  const isIcmp = number === ICMP || number === ICMPV6;
  const fields = defined({
    protocol: number === undefined ? undefined : protocolSpelling(random, number),
    notProtocol: random.maybe(number === undefined ? 35 : 4, () => protocolSpelling(random, ruleProtocol(random))),
    icmp: random.maybe(isIcmp ? 70 : 0, () => icmp(random)),
    notICMP: random.maybe(isIcmp ? 30 : 5, () => icmp(random)),
  });
  return { number, fields };
}

function ruleProtocol(random: Random): number {
  return random.weighted(
    [10, () => random.pick(PORT_PROTOCOLS)],
    [4, () => random.pick([ICMP, ICMPV6])],
    [1, () => random.pick([2, 47, 255])],
    [1, () => random.between(1, 255)],
  );
}

function icmp(random: Random): Json {
  if (random.chance(3)) return {};
  const type = random.chance(85) ? random.pick(ICMP_TYPES) : random.between(0, 254);
  return defined({ type, code: random.maybe(40, () => random.pick(ICMP_CODES)) });
}

/** ICMP is of IPv4 and ICMPv6 of IPv6, wherever a rule names them. */
function isVersionAllowed(version: Family, fields: Json): boolean {
  const wrong = version === 6 ? ['icmp', '1'] : ['icmpv6', '58'];
  return [fields.protocol, fields.notProtocol].every((value) => !wrong.includes(String(value).toLowerCase()));
}

/** A service, which excludes every other condition on who the peer is; the source's ports may be asked for too. */
function serviceEntity(random: Random, owner: RuleOwner, protocol: number | undefined, of: string): Json {
  const isNamed = owner !== 'namespaced' || random.chance(50);
  const services = defined({
    name: random.pick(SERVICES),
    namespace: isNamed ? random.pick(SERVICE_NAMESPACES) : random.maybe(10, () => ''),
  });
  if (of === 'destination') return { services };
  const ports = portsFor(random, protocol);
  return defined({ services, ports: random.maybe(15, ports), notPorts: random.maybe(10, ports) });
}

/** `family` is that of every CIDR in the rule. */
function entity(random: Random, protocol: number | undefined, family: Family): Json {
  const ports = portsFor(random, protocol);
  const conditions: readonly (readonly [name: string, make: () => unknown])[] = [
    ['nets', () => random.list(random.chance(5) ? 0 : 1, 4, () => cidr(random, family))],
    ['notNets', () => random.list(1, 3, () => cidr(random, family)).filter((net) => !isCatchAll(net))],
    ['selector', () => (random.chance(3) ? '' : selector(random))],
    ['selector', () => selector(random)],
    ['notSelector', () => selector(random)],
    ['namespaceSelector', () => namespaceSelector(random)],
    ['serviceAccounts', () => serviceAccounts(random)],
    ['ports', ports],
    ['ports', ports],
    ['notPorts', ports],
  ];
  // One condition is the rule, several are the exception: who asks for everything at once gets nothing.
  const count = random.weighted([1, () => 0], [8, () => 1], [4, () => 2], [1, () => 4]);
  const chosen = random.shuffle(conditions).slice(0, count);
  return defined(Object.fromEntries(chosen.map(([name, make]) => [name, make()])));
}

/** A list of ports, or nothing where the protocol has none. */
function portsFor(random: Random, protocol: number | undefined): () => unknown[] | undefined {
  const hasNumbers = protocol !== undefined && (PORT_PROTOCOLS as readonly number[]).includes(protocol);
  return () => (protocol === undefined || hasNumbers ? portList(random, hasNumbers) : undefined);
}

/** Numbers and ranges need a protocol with ports; names do not. */
function portList(random: Random, hasNumbers: boolean): unknown[] {
  return random.list(random.chance(3) ? 0 : 1, 4, () =>
    random.weighted<unknown>(
      [2, () => random.pick(PORT_NAMES)],
      [hasNumbers ? 3 : 0, () => port(random)],
      [hasNumbers ? 1 : 0, () => String(port(random))],
      [hasNumbers ? 3 : 0, () => portRange(random).join(':')],
    ),
  );
}

function serviceAccounts(random: Random): Json {
  return defined({
    names: random.maybe(60, () => random.some(SERVICE_ACCOUNTS)),
    selector: random.maybe(50, () => serviceAccountSelector(random)),
  });
}
