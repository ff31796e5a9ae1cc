// What a recommended rule says of itself: who that is, how often it was seen, and what it covers besides.
import { containsAddress, formatAddress, parseAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import { DNS_PORT, NTP_PORT, serviceName } from '../protect/well-known.ts';
import { type SummarisedPrefix, unseenAddresses } from './prefixes.ts';
import { type Evidence, type Need, outsideWords } from './rules.ts';

const API_SERVICE = 'default/kubernetes';
/** Of all large clouds. */
const METADATA = '169.254.169.254';
const NODE_LOCAL_DNS = '169.254.20.10';
const DNS_APPS: ReadonlySet<string> = new Set(['kube-dns', 'coredns', 'core-dns', 'dns-default', 'node-local-dns']);

/** Lines of a comment. */
export function evidenceLines(need: Need): string[] {
  const role = roleOf(need);
  const who = whoIs(need);
  return [
    `${role === undefined ? who : `${role}: ${who}`}. ${describeEvidence(need.evidence)}.`,
    ...widenings(need),
    ...(isDnsOnce(need) ? ['Long answers come by TCP 53, which was not seen unless there is a rule for it.'] : []),
  ];
}

/** What infrastructure it is; undefined = none that is known. */
export function roleOf({ peer, protocol, ports = [] }: Need): string | undefined {
  const only = ports.length === 1 && ports[0]?.first === ports[0]?.last ? ports[0]?.first : undefined;
  if (peer.kind === 'service' && peer.id === `service ${API_SERVICE}`) return 'API server';
  if (peer.kind === 'prefixes' && peer.hosts.join() === `service ${API_SERVICE}`) return 'API server';
  if (only === DNS_PORT && (protocol === PROTOCOL.UDP || protocol === PROTOCOL.TCP)) return 'DNS';
  if (peer.kind === 'workloads' && DNS_APPS.has(peer.name)) return 'DNS server';
  if (peer.kind === 'prefixes' && isOnly(peer.prefixes, METADATA)) return 'cloud metadata';
  if (peer.kind === 'prefixes' && isOnly(peer.prefixes, NODE_LOCAL_DNS)) return 'DNS of the node';
  if (only === NTP_PORT && protocol === PROTOCOL.UDP) return 'time';
  if (peer.kind === 'host' || (peer.kind === 'prefixes' && peer.hosts.some((name) => name.startsWith('host '))))
    return 'node';
  if (only === undefined || (protocol !== PROTOCOL.TCP && protocol !== PROTOCOL.UDP)) return undefined;
  const name = serviceName(protocol, only);
  return /^(?:tcp|udp)-\d+$/.test(name) ? undefined : name;
}

function isOnly(prefixes: readonly SummarisedPrefix[], text: string): boolean {
  const address = parseAddress(text);
  const [only, ...rest] = prefixes.map(({ cidr }) => cidr);
  if (address === undefined || only === undefined || rest.length > 0) return false;
  return only.length === only.words.length * 32 && containsAddress(only, address);
}

function whoIs({ peer }: Need): string {
  switch (peer.kind) {
    case 'workloads':
      return `${peer.namespace}/${peer.name}`;
    case 'set':
      return `network set ${peer.namespace === undefined ? '' : `${peer.namespace}/`}${peer.name}, all of it`;
    case 'host':
      return `host ${peer.name}`;
    case 'service':
      return `service ${peer.service.namespace}/${peer.service.name}`;
    case 'network':
      return 'public networks';
    case 'prefixes':
      return peer.hosts.length > 0 ? peer.hosts.join(', ') : outsideWords(seenIn(peer.prefixes));
  }
}

function seenIn(prefixes: readonly { readonly seen: number }[]): number {
  return prefixes.reduce((sum, prefix) => sum + prefix.seen, 0);
}

function describeEvidence({ flows, conversations, last }: Evidence): string {
  const count = flows === 1 ? '1 flow' : `${flows} flows`;
  const kinds = conversations === 1 ? '' : ` of ${conversations} kinds`;
  const when = last === undefined ? '' : `, last ${new Date(last).toISOString().slice(0, 19)}Z`;
  return `Seen: ${count}${kinds}${when}`;
}

function widenings({ peer, ports = [] }: Need): string[] {
  const lines: string[] = [];
  const wide = ports.filter(({ widened }) => widened !== undefined);
  for (const { first, last, widened } of wide) {
    const why = widened === 'ephemeral' ? 'ports that the kernel chooses' : 'most of the range was seen';
    lines.push(`Covers more than was seen: ports ${first} to ${last}, ${why}.`);
  }
  if (peer.kind === 'network') {
    lines.push('Covers more than was seen: every public address, because the records have none.');
  }
  if (peer.kind === 'prefixes' && unseenAddresses(peer.prefixes) > 0) {
    const widest = [...peer.prefixes].sort((a, b) => a.cidr.length - b.cidr.length)[0];
    const text = widest === undefined ? '' : `${formatAddress(widest.cidr)}/${widest.cidr.length}`;
    lines.push(`Covers more than was seen: addresses are summarised, ${text} at the widest.`);
  }
  return lines;
}

function isDnsOnce({ protocol, ports = [] }: Need): boolean {
  return protocol === PROTOCOL.UDP && ports.length === 1 && ports[0]?.first === DNS_PORT && ports[0]?.last === DNS_PORT;
}
