// IP protocols as rules name them.

const NUMBER_BY_NAME: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
]);

export const PROTOCOL_NAMES = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite'] as const;

/** Protocols whose packets have ports. Calico's rules know the ports of the first three only. */
export const PORT_PROTOCOL_NAMES = ['TCP', 'UDP', 'SCTP', 'UDPLite'] as const;
const PORT_PROTOCOLS: ReadonlySet<number | undefined> = new Set(PORT_PROTOCOL_NAMES.map(protocolNumber));

/** Number of a protocol name (any case) or of a number 1-255, which may be text; undefined when it is neither. */
export function protocolNumber(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 1 && value <= 255 ? value : undefined;
  if (/^[0-9]{1,3}$/.test(value)) return protocolNumber(Number(value));
  return NUMBER_BY_NAME.get(value.toLowerCase());
}

/** Why protocolNumber does not know it, in Calico's words. */
export function protocolProblem(value: string | number): string {
  const isNumeric = typeof value === 'number' || /^[0-9]+$/.test(value);
  return isNumeric ? 'protocol number invalid' : 'protocol name invalid';
}

/** Whether packets of the protocol have ports that rules can name. */
export function supportsPorts(protocol: number | undefined): boolean {
  return PORT_PROTOCOLS.has(protocol);
}

/** The IP version that a protocol name (not its number) implies. */
export function impliedIpVersion(value: string | number | undefined): 4 | 6 | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.toLowerCase();
  return name === 'icmp' ? 4 : name === 'icmpv6' ? 6 : undefined;
}
