// Who may reach a machine: rules for SSH, for what its network needs, and for each service that was seen.
import { type Cidr, type Family, formatAddress, formatCidr, hostCidr } from '../../model/address.ts';
import { PROTOCOL, protocolName } from '../../model/flow.ts';
import type { NodeSettings } from '../../model/host-settings.ts';
import type { HostObservation } from './observation.ts';
import { hostNets, inSet, type ProposedRule, type RuleManifest } from './proposal.ts';
import { isDhcpClient, type Service, servicesOf, sshPortsOf } from './services.ts';
import { QUIC_PORT, SSH_PORT, WEB_PORTS } from './well-known.ts';

export interface InboundOptions {
  readonly preset?: 'ssh-only' | 'web';
  readonly sshFrom?: readonly Cidr[];
  readonly settings: NodeSettings;
}

export interface AddressSet {
  readonly name: string;
  readonly nets: readonly Cidr[];
  readonly why: readonly string[];
}

export interface RulesWithSets {
  readonly rules: readonly ProposedRule[];
  readonly sets: readonly AddressSet[];
  /** What there is no rule for, and why. */
  readonly remarks: readonly string[];
}

const FAMILIES: readonly Family[] = [4, 6];
const ADMINS = 'ssh-clients';
const [ECHO_V4, ECHO_V6] = [8, 128];

export function inboundRules(observation: HostObservation, options: InboundOptions): RulesWithSets {
  const { preset, sshFrom } = options;
  const seen = preset === undefined ? servicesOf(observation) : [];
  const open = seen.filter(({ audience }) => audience.kind !== 'closed');
  return {
    rules: [
      sshRule(observation, options),
      ...networkRules(observation),
      ...(preset === 'web' ? webRules() : []),
      ...open.flatMap(serviceRules),
    ],
    sets: [
      ...(sshFrom === undefined
        ? []
        : [{ name: ADMINS, nets: sshFrom, why: ['From where SSH may be used (--ssh-from).'] }]),
      ...open.flatMap(clientsOf),
    ],
    remarks: seen.filter(({ audience }) => audience.kind === 'closed').map(closedRemark),
  };
}

function sshRule(observation: HostObservation, { sshFrom, settings }: InboundOptions): ProposedRule {
  const found = sshPortsOf(observation);
  const ports = found.length === 0 ? [SSH_PORT] : found;
  const failsafe = ports.filter((port) =>
    settings.failsafes.ingress.some(
      (each) => each.protocol === PROTOCOL.TCP && each.port === port && each.net === undefined,
    ),
  );
  const who =
    sshFrom === undefined
      ? 'from everywhere: your own address may change; narrow it with --ssh-from'
      : 'from the set above';
  const stays = `TCP ${failsafe.join(', ')} is a failsafe port besides: open to everybody, whatever this rule says`;
  const source = sshFrom === undefined ? undefined : inSet(ADMINS);
  return {
    why: [
      `SSH, ${who}.`,
      ...(failsafe.length === 0
        ? []
        : [stays, 'unless failsafeInboundHostPorts of the FelixConfiguration says otherwise.']),
    ],
    rule: allow(PROTOCOL.TCP, source, { ports }),
  };
}

/** What machines need of their links and of each other, besides what always passes. */
function networkRules(observation: HostObservation): ProposedRule[] {
  const hasV6 = observation.interfaces.some(
    ({ kind, addresses }) => kind === 'host' && addresses.some(({ family }) => family === 6),
  );
  const rules: ProposedRule[] = [
    { why: ['ping; errors about known connections pass by themselves.'], rule: echo('ICMP', ECHO_V4) },
  ];
  if (hasV6) rules.push({ why: ['ping over IPv6.'], rule: echo('ICMPv6', ECHO_V6) });
  if (isDhcpClient(observation)) {
    rules.push({
      why: ['DHCP: this machine gets its address so.'],
      rule: allow(PROTOCOL.UDP, { ports: [67] }, { ports: [68] }),
    });
  }
  return rules;
}

function webRules(): ProposedRule[] {
  return [
    { why: ['Web, for everybody.'], rule: allow(PROTOCOL.TCP, undefined, { ports: WEB_PORTS }) },
    { why: ['Web over QUIC.'], rule: allow(PROTOCOL.UDP, undefined, { ports: [QUIC_PORT] }) },
  ];
}

/** One rule, or one for each family that it has addresses of: no rule may name both. */
function serviceRules(service: Service): ProposedRule[] {
  const { protocol, port, addresses, audience } = service;
  const source = audience.kind === 'clients' ? inSet(setName(service)) : undefined;
  const who =
    audience.kind === 'anybody'
      ? `for everybody: ${audience.why}`
      : 'for those who were seen to use it, in the set above';
  const why = [`${titleOf(service)}, ${who}.`];
  if (addresses.length === 0) return [{ why, rule: allow(protocol, source, { ports: [port] }) }];
  return FAMILIES.flatMap((family): ProposedRule[] => {
    const nets = hostNets(addresses.filter((address) => address.family === family)).map(formatCidr);
    return nets.length === 0 ? [] : [{ why, rule: allow(protocol, source, { nets, ports: [port] }) }];
  });
}

function clientsOf(service: Service): AddressSet[] {
  const { audience } = service;
  if (audience.kind !== 'clients') return [];
  const why = [`Seen to use ${titleOf(service)}.`];
  return [{ name: setName(service), nets: audience.addresses.map(hostCidr), why }];
}

function closedRemark(service: Service): string {
  return `Closed: ${titleOf(service)}, which nobody was seen to use.`;
}

function setName({ name }: Service): string {
  return `${name}-clients`;
}

/** `postgres (TCP 5432, postgres on 192.0.2.1)`. */
function titleOf({ name, protocol, port, processes, addresses }: Service): string {
  const who = processes.length === 0 ? [] : [processes.join(', ')];
  const where = addresses.length === 0 ? [] : [`on ${addresses.map(formatAddress).join(', ')}`];
  const rest = [...who, ...where].join(' ');
  return `${name} (${protocolName(protocol)} ${port}${rest === '' ? '' : `, ${rest}`})`;
}

function echo(protocol: string, type: number): RuleManifest {
  return { action: 'Allow', protocol, icmp: { type, code: 0 } };
}

function allow(protocol: number, source: RuleManifest | undefined, destination: RuleManifest): RuleManifest {
  return {
    action: 'Allow',
    protocol: protocolName(protocol),
    ...(source === undefined ? {} : { source }),
    destination,
  };
}
