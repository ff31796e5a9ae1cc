// Which entries of one chunk of a prefix table a change is about: a note for prefix-live-v6.ts, which reads the prefixes.
import { GuardDims } from '../abi/guard.gen.ts';

const CHUNK_WORDS = GuardDims.CHUNK_WORDS;

/** Entries of one chunk that are not as before, and the changed prefixes that are longer than the chunk's byte. */
export class ChangesBelow {
  readonly #isChanged = new Uint8Array(CHUNK_WORDS);
  readonly #spans = new Map<number, { since: number; until: number }>();

  note(first: number, count: number): void {
    this.#isChanged.fill(1, first, first + count);
  }

  noteBelow(byte: number, index: number): void {
    this.#isChanged[byte] = 1;
    const span = this.#spans.get(byte);
    if (span === undefined) this.#spans.set(byte, { since: index, until: index + 1 });
    else span.until = index + 1;
  }

  has(byte: number): boolean {
    return this.#isChanged[byte] === 1;
  }

  within(byte: number): { readonly since: number; readonly until: number } {
    return this.#spans.get(byte) ?? { since: 0, until: 0 };
  }
}
