// MAC addresses as text, in the notations that Calico's tools accept.

const NOTATIONS = [
  /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/,
  /^(?:[0-9a-f]{2}-){5}[0-9a-f]{2}$/,
  /^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/,
];

/** The address as `aa:bb:cc:dd:ee:ff`, from that, `AA-BB-CC-DD-EE-FF` or `aabb.ccdd.eeff`; undefined for anything else. */
export function parseMac(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (!NOTATIONS.some((notation) => notation.test(lower))) return undefined;
  return lower.replace(/[^0-9a-f]/g, '').replace(/(..)(?=.)/g, '$1:');
}
