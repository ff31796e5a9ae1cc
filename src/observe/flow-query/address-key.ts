// Addresses as text that sorts as addresses do: the family, then the bits in hexadecimal. A prefix is a range of such texts, so a
// store without a type for addresses can look for it.
import { cidrOf, formatAddress, type IpAddress, parseAddress, parseCidr } from '../../model/address.ts';

/** '' for text that is no address. */
export function addressKey(text: string): string {
  const address = text === '' ? undefined : parseAddress(text);
  return address === undefined ? '' : keyOf(address);
}

/** The address of the key; '' for what is none. */
export function addressOfKey(key: string): string {
  if (!/^(?:4[\da-f]{8}|6[\da-f]{32})$/.test(key)) return '';
  const words: number[] = [];
  for (let at = 1; at < key.length; at += 8) words.push(Number.parseInt(key.slice(at, at + 8), 16));
  return formatAddress({ family: key.startsWith('4') ? 4 : 6, words });
}

/** Keys of the first and the last address of a prefix; undefined = the text is neither prefix nor address. */
export function prefixKeys(text: string): { readonly low: string; readonly high: string } | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined) return undefined;
  const first = cidrOf(cidr, cidr.length);
  const bits = cidr.family === 4 ? 32 : 128;
  const low = keyOf(first);
  const kept = Math.floor(cidr.length / 4);
  const rest = cidr.length % 4;
  const digits = bits / 4;
  let high = low.slice(0, 1 + kept);
  if (rest > 0) high += (Number.parseInt(low[1 + kept] as string, 16) | (0xf >> rest)).toString(16);
  return { low, high: high.padEnd(1 + digits, 'f') };
}

function keyOf({ family, words }: IpAddress): string {
  return `${family}${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`;
}
