// Fields of a JSON record, checked one by one. A field that is null, absent or `-` is not there.
import { DataplaneError } from '../../base/errors.ts';
import { type IpAddress, parseAddress } from '../../model/address.ts';
import { protocolNumber } from '../../model/flow-question.ts';
import { quoteValue } from '../../resources/report.ts';
import type { Fields } from './recorded-flow.ts';

/** Names that logs use besides those of policies. */
const PROTOCOL_ALIASES: ReadonlyMap<string, number> = new Map([
  ['icmp6', 58],
  ['icmpv4', 1],
  ['ipip', 4],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
]);

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first of the names that the record has. Protobuf's JSON and Go's spell one field in two ways. */
export function fieldOf(record: Fields, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = record[name];
    if (value !== undefined && value !== null && value !== '-' && value !== '') return value;
  }
  return undefined;
}

/** Throws INVALID_FLOW when it is there and no text. */
export function textOf(record: Fields, ...names: readonly string[]): string | undefined {
  const value = fieldOf(record, ...names);
  if (value === undefined || typeof value === 'string') return value;
  throw invalidField(names, value, 'text');
}

/** A whole number, or its digits as text. Throws INVALID_FLOW. */
export function numberOf(record: Fields, maximum: number, ...names: readonly string[]): number | undefined {
  const value = fieldOf(record, ...names);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= maximum) return number;
  throw invalidField(names, value, `a whole number from 0 to ${maximum}`);
}

/** Throws INVALID_FLOW. */
export function addressOf(record: Fields, ...names: readonly string[]): IpAddress | undefined {
  const text = textOf(record, ...names);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address === undefined) throw invalidField(names, text, 'an IP address');
  return address;
}

/** Throws INVALID_FLOW, also when it is not there. */
export function protocolOf(record: Fields, ...names: readonly string[]): number {
  const value = fieldOf(record, ...names);
  const alias = typeof value === 'string' ? PROTOCOL_ALIASES.get(value.toLowerCase()) : undefined;
  const number = alias ?? protocolNumber(value);
  if (number === undefined) throw invalidField(names, value, 'a protocol');
  return number;
}

export function invalidField(names: readonly string[], found: unknown, expected: string): DataplaneError {
  return new DataplaneError('INVALID_FLOW', found === undefined ? 'is missing' : 'invalid value', {
    operation: 'read',
    target: 'flow',
    field: names[0],
    found: found === undefined ? undefined : quoteValue(found),
    expected,
  });
}
