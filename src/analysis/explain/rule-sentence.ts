// A rule in one plain sentence, and who that is now: the endpoints and sets that its selectors match, the addresses
// behind a service, the numbers behind port names.
import { containsAddress, formatAddress, formatCidr } from '../../model/address.ts';
import { PROTOCOL, protocolName } from '../../model/flow.ts';
import type { Direction, EntityMatch, IcmpMatch, PortMatch, Rule } from '../../model/policy.ts';
import type { Selector } from '../../model/selector/ast.ts';
import { describeSelector } from '../describe-selector.ts';
import type { Inventory, Member } from '../inventory.ts';
import { memberName } from '../object-names.ts';

export interface ResolvedMember {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** Who one side of a rule is now; undefined lists = the rule does not say. */
export interface ResolvedEntity {
  /** Endpoints and network sets that the selector and the networks leave. */
  readonly members?: readonly ResolvedMember[];
  /** Those that notSelector keeps out. */
  readonly excluded?: readonly ResolvedMember[];
  /** Backends of the service. */
  readonly backends?: readonly string[];
  /** For each port name what it stands for, e.g. `TCP 8080`. */
  readonly portNames?: Readonly<Record<string, readonly string[]>>;
}

export interface ExplainedRule {
  /** As traces count. */
  readonly index: number;
  readonly action: Rule['action'];
  readonly sentence: string;
  readonly file: string;
  readonly line: number;
  readonly source: ResolvedEntity;
  readonly destination: ResolvedEntity;
}

const SHOWN = 3;

/** `own` = the endpoints that the rule governs: what it says of its own side is about them. */
export function explainRule(
  rule: Rule,
  index: number,
  direction: Direction,
  inventory: Inventory,
  own: readonly Member[],
): ExplainedRule {
  const [sender, receiver] = direction === 'ingress' ? [undefined, own] : [own, undefined];
  const source = resolveEntity(rule.source, rule, inventory, sender);
  const destination = resolveEntity(rule.destination, rule, inventory, receiver);
  return {
    index,
    action: rule.action,
    sentence: sentenceOf(rule, direction, source, destination),
    file: rule.location.file,
    line: rule.location.line,
    source,
    destination,
  };
}

/** Among these members; undefined = among all there are. */
function resolveEntity(
  entity: EntityMatch,
  { protocol }: Rule,
  inventory: Inventory,
  among: readonly Member[] | undefined,
): ResolvedEntity {
  const { selector, notSelector, service } = entity;
  const select = (wanted: Selector): readonly Member[] => {
    const found = inventory.selected(wanted);
    return among === undefined ? found : found.filter((member) => among.includes(member));
  };
  const members = selector === undefined ? undefined : select(selector).filter((one) => isInNets(one, entity));
  const names = [...entity.ports, ...entity.notPorts].flatMap((port) => (port.kind === 'named' ? [port.name] : []));
  const everyone = members ?? among ?? [...inventory.members.values()];
  const portNames = names.map((name): [string, string[]] => {
    const ports = inventory
      .holders(everyone, name, protocol)
      .flatMap(({ object }) => (object.type === 'networkSet' ? [] : object.ports))
      .filter((port) => port.name === name && (protocol === undefined || port.protocol === protocol));
    return [name, [...new Set(ports.map((port) => `${protocolName(port.protocol)} ${port.port}`))].sort()];
  });
  return {
    members: members?.map(describeMember),
    excluded: notSelector === undefined ? undefined : select(notSelector).map(describeMember),
    backends:
      service === undefined
        ? undefined
        : inventory.slicesOf(service).flatMap(({ addresses }) => addresses.map(formatAddress)),
    portNames: names.length === 0 ? undefined : Object.fromEntries(portNames),
  };
}

/** A network set may lie partly inside: it counts. */
function isInNets({ object }: Member, { nets, notNets }: EntityMatch): boolean {
  if (object.type === 'networkSet') return true;
  const isIn = (list: EntityMatch['nets']): boolean =>
    object.addresses.some((address) => list.some((net) => containsAddress(net, address)));
  return (nets.length === 0 || isIn(nets)) && !(notNets.length > 0 && isIn(notNets));
}

function describeMember({ object }: Member): ResolvedMember {
  const addresses = object.type === 'networkSet' ? object.nets.map(formatCidr) : object.addresses.map(formatAddress);
  return { name: memberName(object), addresses };
}

function sentenceOf(rule: Rule, direction: Direction, source: ResolvedEntity, destination: ResolvedEntity): string {
  const isIngress = direction === 'ingress';
  const peer = isIngress ? rule.source : rule.destination;
  const own = isIngress ? rule.destination : rule.source;
  const who = describeEntity(peer, isIngress ? source : destination);
  const at = hasConditions(own)
    ? ` ${isIngress ? 'at' : 'of'} ${describeEntity(own, isIngress ? destination : source)}`
    : '';
  return [
    rule.action,
    describeTraffic(rule, destination),
    `${isIngress ? 'from' : 'to'} ${who}${at}`,
    ...describeSourcePorts(rule.source),
  ].join(' ');
}

/** `TCP to port 80 or http (TCP 8080)`, `everything but UDP`. */
function describeTraffic(rule: Rule, destination: ResolvedEntity): string {
  const { protocol, notProtocol, icmp, notIcmp, ipVersion } = rule;
  const { ports, notPorts } = rule.destination;
  const name = protocol === undefined ? 'everything' : protocolName(protocol);
  const isImplied = protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6;
  const family = ipVersion === undefined || isImplied ? '' : `IPv${ipVersion} `;
  return [
    `${family}${name}`,
    icmp === undefined ? '' : describeIcmp(icmp),
    ports.length === 0 ? '' : `to ${describePorts(ports, destination)}`,
    notProtocol === undefined ? '' : `but ${protocolName(notProtocol)}`,
    notIcmp === undefined ? '' : `but ICMP ${describeIcmp(notIcmp)}`,
    notPorts.length === 0 ? '' : `but not to ${describePorts(notPorts, destination)}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function describeIcmp({ type, code }: IcmpMatch): string {
  return `type ${type}${code === undefined ? '' : ` code ${code}`}`;
}

function describePorts(ports: readonly PortMatch[], { portNames = {} }: ResolvedEntity): string {
  const texts = ports.map((port) => {
    if (port.kind === 'range') return port.first === port.last ? `${port.first}` : `${port.first}-${port.last}`;
    const meant = portNames[port.name] ?? [];
    return `${port.name} (${meant.length === 0 ? 'nothing defines it' : meant.join(', ')})`;
  });
  return `${texts.length === 1 && !texts[0]?.includes('-') ? 'port' : 'ports'} ${joinOr(texts)}`;
}

function describeSourcePorts(source: EntityMatch): string[] {
  const { ports, notPorts } = source;
  return [
    ...(ports.length === 0 ? [] : [`with source ${describePorts(ports, {})}`]),
    ...(notPorts.length === 0 ? [] : [`but not with source ${describePorts(notPorts, {})}`]),
  ];
}

function describeEntity(entity: EntityMatch, resolved: ResolvedEntity): string {
  const { selector, notSelector, nets, notNets, service } = entity;
  if (service !== undefined) {
    const addresses = resolved.backends?.length ?? 0;
    return `the backends of service ${service.namespace}/${service.name} (${countOf(addresses, 'address', 'addresses')})`;
  }
  const parts: string[] = [];
  if (selector !== undefined)
    parts.push(`${describeWho(describeSelector(selector))} ${whoNow(resolved.members ?? [])}`);
  else if (nets.length === 0) parts.push('anyone');
  if (nets.length > 0)
    parts.push(`${selector === undefined ? 'addresses' : 'with an address'} in ${nets.map(formatCidr).join(', ')}`);
  if (notNets.length > 0) parts.push(`but not in ${notNets.map(formatCidr).join(', ')}`);
  if (notSelector !== undefined) {
    parts.push(`but not ${describeWho(describeSelector(notSelector))} ${whoNow(resolved.excluded ?? [])}`);
  }
  return parts.join(' ');
}

function describeWho(conditions: string): string {
  return conditions === '' ? 'any known endpoint or set' : `endpoints and sets ${conditions}`;
}

function whoNow(members: readonly ResolvedMember[]): string {
  if (members.length === 0) return '(now nobody)';
  const names = members.slice(0, SHOWN).map(({ name }) => name);
  const rest = members.length - names.length;
  return `(now ${names.join(', ')}${rest === 0 ? '' : ` and ${rest} more`})`;
}

function hasConditions({ selector, notSelector, nets, notNets }: EntityMatch): boolean {
  return selector !== undefined || notSelector !== undefined || nets.length > 0 || notNets.length > 0;
}

function joinOr(texts: readonly string[]): string {
  const last = texts.at(-1) ?? '';
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(', ')} or ${last}`;
}

function countOf(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
