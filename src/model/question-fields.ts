// Fields of the questions of `tortie verdict`, checked one by one.
import { DataplaneError } from '../base/errors.ts';
import { type IpAddress, parseAddress } from './address.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Throws INVALID_FLOW. */
export function addressField(fields: Fields, name: string): IpAddress {
  const value = fields[name];
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  if (address === undefined) {
    throw invalidFlow(fields.id, name, 'is not an IP address', value, 'an IPv4 or IPv6 address');
  }
  if (isMapped(address)) {
    throw invalidFlow(fields.id, name, 'is an IPv4-mapped address', value, 'the IPv4 address itself');
  }
  return address;
}

/** fallback = what an absent field means; undefined = it must be there. Throws INVALID_FLOW. */
export function numberField(fields: Fields, name: string, max: number, fallback: number | undefined): number {
  const value = fields[name];
  const number = value === undefined || value === null ? fallback : wholeNumber(value, max);
  if (number === undefined) throw invalidFlow(fields.id, name, 'is not a whole number', value, `0-${max}`);
  return number;
}

/** A number from 0 to max, which may be text. */
export function wholeNumber(value: unknown, max: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= max ? number : undefined;
}

export function invalidFlow(
  id: unknown,
  field: string | undefined,
  what: string,
  found: unknown,
  expected: string,
): DataplaneError {
  const target = id === undefined || id === null ? 'without id' : `${JSON.stringify(id)}`;
  return new DataplaneError('INVALID_FLOW', what, {
    operation: 'read flow',
    target,
    field,
    found: found === undefined ? 'nothing' : JSON.stringify(found),
    expected,
  });
}

/** ::ffff:0:0/96 never appears on the wire (RFC 4291, 2.5.5.2). */
function isMapped({ words }: IpAddress): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}
