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

/** Number of a protocol name (any case) or of a number 1-255, which may be text; undefined when it is neither. */
export function protocolNumber(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 1 && value <= 255 ? value : undefined;
  if (/^[0-9]{1,3}$/.test(value)) return protocolNumber(Number(value));
  return NUMBER_BY_NAME.get(value.toLowerCase());
}

/** The IP version that a protocol name (not its number) implies. */
export function impliedIpVersion(value: string | number | undefined): 4 | 6 | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.toLowerCase();
  return name === 'icmp' ? 4 : name === 'icmpv6' ? 6 : undefined;
}
