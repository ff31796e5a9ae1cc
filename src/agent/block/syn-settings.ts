// The setting synProtection: for which ports new TCP connections are counted. Text in, a question about ports out.

export const SYN_OFF = 'off';
export const SYN_AUTO = 'auto';
/** Many people may share an address. */
export const DEFAULT_SOURCE_RATE = 500;
/** What a stack takes in its stride: connections below it lose nothing. */
export const DEFAULT_LISTENER_RATE = 1000;

/** BGP signs its segments (RFC 2385, RFC 5925): an answer without a signature is none. */
const SIGNED_PORT = 179;
const LARGEST_PORT = 65_535;

/** `off`, `auto`, or ports and ranges of ports separated by commas, e.g. `443,8000-8099`. undefined = none of these. */
export function parseSynProtection(text: string): ((port: number) => boolean) | undefined {
  if (text === SYN_OFF) return () => false;
  if (text === SYN_AUTO) return (port) => port !== SIGNED_PORT;
  const ranges = text.split(',').map(parseRange);
  if (ranges.includes(undefined)) return undefined;
  return (port) => ranges.some((range) => range !== undefined && port >= range[0] && port <= range[1]);
}

function parseRange(text: string): readonly [number, number] | undefined {
  const [, first, last = first] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) > LARGEST_PORT || Number(last) < Number(first)) return undefined;
  return [Number(first), Number(last)];
}
