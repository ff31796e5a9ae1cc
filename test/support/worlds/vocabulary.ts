// The small vocabulary that generated worlds are made of: few words, so that selectors, sets and ports often meet.
import type { Random } from './random.ts';

export const NAMESPACES = ['nsa', 'nsb', 'nsc'] as const;
export const LABELS = ['app', 'role', 'env', 'example.com/part_of'] as const;
/** Some are parts of others, for contains, starts with and ends with. */
export const VALUES = ['web', 'api', 'db', '', 'web-db', 'db-web'] as const;
export const PORT_NAMES = ['http', 'dns', 'metrics'] as const;
export const SERVICE_ACCOUNTS = ['default', 'builder'] as const;
/** Few have services, so that rules find them. */
export const SERVICE_NAMESPACES = ['nsa', 'nsa', 'nsb'] as const;
export const SERVICES = ['svc', 'svc-two'] as const;
/** `missing` is never defined; the kube- tiers and default are built in. */
export const TIERS = ['first', 'second', 'third', 'default', 'kube-admin', 'kube-baseline', 'missing'] as const;
export const PROFILES = ['custom', 'other', 'absent', 'projectcalico-default-allow'] as const;
/** `-` and `.` sort before `/`, which ends a name when policies of equal order are compared. */
export const POLICY_NAMES = ['a', 'a-b', 'a.c', 'b', 'a1'] as const;
/** Ties with each other, with built-in tiers and with Kubernetes policies; fractions, zero and below. */
export const ORDERS = [-1.5, -1, 0, 1, 1.5, 999.999, 1000, 1_000_000] as const;

/** Numbers at the edges of everything that has edges. */
export const PORTS = [1, 2, 53, 79, 80, 81, 443, 1023, 1024, 8080, 32767, 65534, 65535] as const;
export const ICMP_TYPES = [0, 3, 8, 11, 128, 129, 131, 135, 254] as const;
export const ICMP_CODES = [0, 1, 255] as const;

/** Protocols with ports, as numbers. */
export const PORT_PROTOCOLS = [6, 17, 132, 136] as const;

const PROTOCOL_SPELLINGS: ReadonlyMap<number, readonly string[]> = new Map([
  [1, ['ICMP', 'icmp']],
  [6, ['TCP', 'TCP', 'tcp']],
  [17, ['UDP', 'UDP', 'udp']],
  [58, ['ICMPv6', 'icmpv6', 'ICMPV6']],
  [132, ['SCTP', 'sctp']],
  [136, ['UDPLite', 'udplite']],
]);

/** The protocol by number, by number as text, or by name in some case if it has one. */
export function protocolSpelling(random: Random, protocol: number): string | number {
  const names = PROTOCOL_SPELLINGS.get(protocol) ?? [];
  return random.pick<string | number>([protocol, ...(random.chance(10) ? [String(protocol)] : []), ...names, ...names]);
}

/** Kubernetes writes names in upper case and knows no others. */
export const KUBERNETES_PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;

export function port(random: Random): number {
  return random.chance(90) ? random.pick(PORTS) : random.between(1, 65535);
}

/** First and last of a range, in order; often ranges touch and overlap. */
export function portRange(random: Random): readonly [first: number, last: number] {
  const [a, b] = [port(random), port(random)];
  return [Math.min(a, b), Math.max(a, b)];
}

export function labels(random: Random): Record<string, string> {
  const own = Object.fromEntries(random.list(0, 3, () => [random.pick(LABELS), random.pick(VALUES)]));
  // Only profiles may give these: a workload that claims one does not have it.
  return random.chance(4) ? { ...own, 'pcns.env': 'web', 'pcsa.role': 'web' } : own;
}
