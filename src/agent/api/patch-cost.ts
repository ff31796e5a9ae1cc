// What a JSON patch may cost beyond its own length: a copy of a copy doubles with every operation, and a list that is changed at its
// front moves as a whole.
import { MAX_BODY_BYTES, MAX_DEPTH } from './body.ts';
import { tooLarge } from './failure.ts';
import { sizeOfValue } from './value-size.ts';

const TARGET = 'JSON patch';
const MAX_OPERATIONS = 10_000;
/** Elements of lists that all operations together may move: some tenths of a second. */
const MAX_MOVES = 100_000_000;

/** Of one patch. */
export class PatchCost {
  #copiedBytes = 0;
  #moves = 0;

  /** Throws REQUEST_TOO_LARGE. */
  constructor(operations: number) {
    if (operations > MAX_OPERATIONS) throw tooLarge(TARGET, `${MAX_OPERATIONS} operations`, `${operations}`);
  }

  /** Before a value is copied. Throws REQUEST_TOO_LARGE. */
  countCopy(value: unknown): void {
    const left = MAX_BODY_BYTES - this.#copiedBytes;
    const size = sizeOfValue(value, left, MAX_DEPTH);
    if (size === undefined) throw tooLarge(TARGET, `${MAX_BODY_BYTES} bytes copied, ${MAX_DEPTH} levels deep`);
    this.#copiedBytes += size.bytes;
  }

  /** Before an element goes into a list, or out of it, at that place. Throws REQUEST_TOO_LARGE. */
  countMove(list: readonly unknown[], index: number): void {
    this.#moves += list.length - index;
    if (this.#moves > MAX_MOVES) throw tooLarge(TARGET, `${MAX_MOVES} elements of lists moved`);
  }
}
