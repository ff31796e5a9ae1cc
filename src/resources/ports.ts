// Ports as rules write them: 80, "80", "80:90" or the name of an endpoint's port.

export type PortText =
  | { readonly kind: 'range'; readonly first: number; readonly last: number }
  | { readonly kind: 'named'; readonly name: string }
  /** `what` is wrong in Calico's words where Calico has some; `expected` says what would be right. */
  | { readonly kind: 'invalid'; readonly what: string; readonly expected: string };

const OUT_OF_RANGE: PortText = {
  kind: 'invalid',
  what: 'port range invalid, port number must be between 1 and 65535',
  expected: 'a port number between 1 and 65535',
};
const UPSIDE_DOWN: PortText = {
  kind: 'invalid',
  what: 'port range invalid',
  expected: 'a range whose first port is not above its last',
};
const NO_PORT: PortText = {
  kind: 'invalid',
  what: 'invalid value',
  expected: 'a number, a range such as "80:90", or a name of at most 15 lower-case letters, digits and dashes',
};

/** What a port item says. */
export function parsePort(value: string | number): PortText {
  if (typeof value === 'number') return rangeOf(value, value);
  const numbers = /^([0-9]+)(?::([0-9]+))?$/.exec(value);
  if (numbers !== null) return rangeOf(Number(numbers[1]), Number(numbers[2] ?? numbers[1]));
  return isPortName(value) ? { kind: 'named', name: value } : NO_PORT;
}

/** Kubernetes' IsValidPortName: 1-15 of a-z 0-9 -, a letter among them, no dash first, last or doubled. */
export function isPortName(value: string): boolean {
  return /^(?=.*[a-z])[a-z0-9](?:[a-z0-9]|-(?!-)){0,13}[a-z0-9]$|^[a-z]$/.test(value);
}

function rangeOf(first: number, last: number): PortText {
  if (!isPortNumber(first) || !isPortNumber(last)) return OUT_OF_RANGE;
  return first > last ? UPSIDE_DOWN : { kind: 'range', first, last };
}

function isPortNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}
