// What is refused of the block list's users, and how that is said. Limits are here, and in docs/block.md.
import { DataplaneError } from '../../base/errors.ts';
import { type Cidr, formatCidr, parseCidr } from '../../model/address.ts';
import { nearestName } from '../../resources/nearest.ts';
import type { BlockList } from './block-list.ts';
import { isMapped, whyNot } from './prefix-reader.ts';

/** Of single entries: beyond that a feed is the better way, for each entry is an object with its author, end and reason. */
export const MAX_ENTRIES = 100_000;
/** Of entries and feeds together: what a table can hold is said in bpf/abi/guard.h. */
export const MAX_PREFIXES = 10_000_000;
export const MAX_FILE_BYTES = 512 * 2 ** 20;
/** Characters. */
export const MAX_REASON = 200;

const FEED_NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export function invalid(field: string, what: string, found: string, expected?: string): DataplaneError {
  return new DataplaneError('INVALID_REQUEST', what, { operation: 'block', target: field, found, expected });
}

/** Throws INVALID_REQUEST for what is neither an address nor a prefix without bits past its length. */
export function parseBlocked(text: string): Cidr {
  const cidr = parseCidr(text, { strict: true });
  if (cidr !== undefined && !isMapped(cidr)) return cidr;
  throw new DataplaneError('INVALID_REQUEST', whyNot(text), { operation: 'block', target: text });
}

export function locksOut(cidr: Cidr, why: string): DataplaneError {
  return new DataplaneError('LOCKS_OUT', why, {
    operation: 'block',
    target: formatCidr(cidr),
    hint: 'nothing was blocked; --force does it all the same',
  });
}

export function requireFeedName(name: string): void {
  if (FEED_NAME.test(name)) return;
  const expected = 'up to 63 of a-z, 0-9, dots, dashes and underscores, a letter or digit at both ends';
  throw invalid('feed', 'is no name of a feed', name, expected);
}

export function requireRoom(prefixes: number): void {
  if (prefixes <= MAX_PREFIXES) return;
  throw new DataplaneError('LIMIT_EXCEEDED', 'there would be too many prefixes', {
    operation: 'block',
    target: 'list',
    found: String(prefixes),
    expected: `at most ${MAX_PREFIXES}, of all entries and feeds`,
    hint: 'nothing was changed: remove a feed first',
  });
}

export function tooManyEntries(entries: number): DataplaneError {
  return new DataplaneError('LIMIT_EXCEEDED', 'there would be too many entries', {
    operation: 'block',
    target: 'list',
    found: String(entries),
    expected: `at most ${MAX_ENTRIES}`,
    hint: 'nothing was changed: millions go into a feed, see tortie block feed --help',
  });
}

/** An address in a blocked prefix, or in a feed, is no entry: say what is. */
export function noSuchEntry(name: string, list: BlockList): DataplaneError {
  const cidr = parseCidr(name) as Cidr;
  const [by] = list.blockersOf(cidr);
  const where = by?.kind === 'feed' ? `it is in the feed ${by.feed.name}` : `it is in the entry ${by?.cidr}`;
  return new DataplaneError('NOT_FOUND', 'is no entry of the list', {
    operation: 'remove block',
    target: name,
    hint: by === undefined ? 'nothing was removed; see: tortie block list' : `nothing was removed: ${where}`,
  });
}

export function noSuchFeed(name: string, names: readonly string[]): DataplaneError {
  const nearest = nearestName(name, names);
  return new DataplaneError('NOT_FOUND', 'is no feed', {
    operation: 'remove feed',
    target: name,
    hint: nearest === undefined ? 'see: tortie block feed list' : `did you mean ${nearest}?`,
  });
}
