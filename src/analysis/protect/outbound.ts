// What a machine may begin itself: anything, or what it was seen to do and what it cannot do without.
import { compareAddresses, formatAddress, hostCidr, type IpAddress } from '../../model/address.ts';
import { PROTOCOL, protocolName } from '../../model/flow.ts';
import type { AddressSet, RulesWithSets } from './inbound.ts';
import { type HostObservation, isLoopback, type SeenFlow } from './observation.ts';
import { inSet, type ProposedRule, type RuleManifest } from './proposal.ts';
import { distinct, MAX_CLIENTS, sshPortsOf } from './services.ts';
import { DNS_PORT, NTP_PORT, serviceName } from './well-known.ts';

const DHCP_SERVER = 67;
const IGMP = 2;
/** Command names of programs that keep the clock. */
const CLOCKS: ReadonlySet<string> = new Set(['chronyd', 'ntpd', 'ntpsec', 'systemd-timesyn', 'openntpd']);
const RESOLVERS = 'resolvers';

export function egressRules(observation: HostObservation, mode: 'open' | 'seen'): RulesWithSets {
  if (mode === 'open') {
    const remarks = ['What this machine may begin itself: anything. Narrow it with: tortie protect --egress seen'];
    return { rules: [{ why: ['Every connection of its own.'], rule: { action: 'Allow' } }], sets: [], remarks };
  }
  const groups = groupsOf(observation);
  const resolvers = distinct(observation.nameServers);
  return {
    rules: [...sessionRules(observation), ...baseRules(observation, resolvers), ...groups.map(groupRule)],
    sets: [
      ...(resolvers.length === 0
        ? []
        : [{ name: RESOLVERS, nets: resolvers.map(hostCidr), why: ['Name servers that this machine asks.'] }]),
      ...groups.flatMap(setOf),
    ],
    remarks: [
      'What this machine may begin itself: what it was seen to do. What it does once a day or a month, such as updates and',
      'backups, may be missing: preview for long enough, or add it.',
    ],
  };
}

interface Group {
  readonly protocol: number;
  readonly port: number;
  readonly remotes: readonly IpAddress[];
  readonly processes: readonly string[];
}

/** Flows that it began, by service, without those that the base rules allow. */
function groupsOf(observation: HostObservation): Group[] {
  const groups = new Map<string, SeenFlow[]>();
  for (const flow of observation.flows) {
    const { direction, protocol, remote, remotePort } = flow;
    if (direction !== 'out' || isLoopback(remote) || isBase(flow, observation)) continue;
    const key = `${protocol} ${remotePort}`;
    groups.set(key, [...(groups.get(key) ?? []), flow]);
  }
  return [...groups.values()]
    .map((members): Group => {
      const { protocol, remotePort: port } = members[0] as SeenFlow;
      const processes = [...new Set(members.flatMap(({ process }) => process ?? []))].sort();
      return { protocol, port, remotes: distinct(members.map(({ remote }) => remote)), processes };
    })
    .sort((a, b) => a.protocol - b.protocol || a.port - b.port);
}

function isBase({ protocol, remotePort, remote }: SeenFlow, observation: HostObservation): boolean {
  if (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP) return true;
  if (remotePort === DNS_PORT && observation.nameServers.some((server) => compareAddresses(server, remote) === 0))
    return true;
  if (protocol === PROTOCOL.TCP) return false;
  return remotePort === DHCP_SERVER || (remotePort === NTP_PORT && keepsClock(observation));
}

/** Whoever speaks first of a connection that was there before is taken to have begun it. Only sshd has its port. */
function sessionRules(observation: HostObservation): ProposedRule[] {
  const ports = sshPortsOf(observation);
  if (ports.length === 0) return [];
  const why = ['Answers in SSH sessions that began before this was in force; no other program has that port.'];
  return [{ why, rule: { action: 'Allow', protocol: protocolName(PROTOCOL.TCP), source: { ports } } }];
}

function baseRules(observation: HostObservation, resolvers: readonly IpAddress[]): ProposedRule[] {
  const dns = (protocol: number): ProposedRule => ({
    why: [`Names, from ${resolvers.map(formatAddress).join(', ')}.`],
    rule: allow(protocol, { ...inSet(RESOLVERS), ports: [DNS_PORT] }),
  });
  return [
    ...(resolvers.length === 0 ? [] : [dns(PROTOCOL.UDP), dns(PROTOCOL.TCP)]),
    ...clockRules(observation),
    { why: ['DHCP, whether it is used now or not.'], rule: allow(PROTOCOL.UDP, { ports: [DHCP_SERVER] }) },
    { why: ['ping, and errors that senders need to know of.'], rule: { action: 'Allow', protocol: 'ICMP' } },
    { why: ['The same over IPv6.'], rule: { action: 'Allow', protocol: 'ICMPv6' } },
    { why: ['Groups of multicast over IPv4.'], rule: { action: 'Allow', protocol: IGMP } },
  ];
}

/** Servers of a pool change with every look-up. */
function clockRules(observation: HostObservation): ProposedRule[] {
  if (!keepsClock(observation)) return [];
  const why = ['The time, from any server: those of a pool change.'];
  return [{ why, rule: allow(PROTOCOL.UDP, { ports: [NTP_PORT] }) }];
}

function keepsClock({ flows, listeners }: HostObservation): boolean {
  return [...flows, ...listeners].some(({ process = '' }) => CLOCKS.has(process));
}

function groupRule(group: Group): ProposedRule {
  const { protocol, port, remotes } = group;
  const isListed = remotes.length <= MAX_CLIENTS;
  const who = isListed ? 'to whom it was seen to go' : `to anybody: ${remotes.length} different addresses were seen`;
  return {
    why: [`${titleOf(group)}, ${who}.`],
    rule: allow(protocol, { ...(isListed ? inSet(setName(group)) : {}), ports: [port] }),
  };
}

function setOf(group: Group): AddressSet[] {
  const { remotes } = group;
  if (remotes.length > MAX_CLIENTS) return [];
  return [{ name: setName(group), nets: remotes.map(hostCidr), why: [`Seen to be asked for ${titleOf(group)}.`] }];
}

function setName({ protocol, port }: Group): string {
  return `${serviceName(protocol, port)}-servers`;
}

function titleOf({ protocol, port, processes }: Group): string {
  const who = processes.length === 0 ? '' : `, of ${processes.join(', ')}`;
  return `${serviceName(protocol, port)} (${protocolName(protocol)} ${port}${who})`;
}

function allow(protocol: number, destination: RuleManifest): RuleManifest {
  return { action: 'Allow', protocol: protocolName(protocol), destination };
}
