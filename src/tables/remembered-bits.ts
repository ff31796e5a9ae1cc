// Bit sets of classes by the interval set that they are of, made once and found again. Part of NumberClasses.
import type { IntervalSet } from './interval-sets.ts';
import { keyOfSet } from './set-counts.ts';

/** Bit sets are remembered up to this many words in all. */
const REMEMBERED_WORDS = 1 << 24;
/** What asking for a bit set costs besides its words, in words. */
const QUESTION_OVERHEAD = 16;
const NO_BITS = new Uint32Array(0);

/** Remembers bit sets by the set's identity, then by its content; counts the words of each answer. */
export function rememberBits(
  make: (set: IntervalSet) => Uint32Array,
  spend: (words: number) => void,
): (set: IntervalSet) => Uint32Array {
  let bySet = new WeakMap<IntervalSet, Uint32Array>();
  let byContent = new Map<string, Uint32Array>();
  let remembered = 0;
  let lastSet: IntervalSet | undefined;
  let lastBits: Uint32Array = NO_BITS;
  return (set) => {
    if (lastSet === set) {
      spend(lastBits.length + QUESTION_OVERHEAD);
      return lastBits;
    }
    let bits = bySet.get(set);
    if (bits === undefined) {
      const key = keyOfSet(set);
      bits = byContent.get(key) ?? make(set);
      if (remembered > REMEMBERED_WORDS) {
        bySet = new WeakMap();
        byContent = new Map();
        remembered = 0;
      }
      if (!byContent.has(key)) remembered += bits.length;
      byContent.set(key, bits);
      bySet.set(set, bits);
    }
    lastSet = set;
    lastBits = bits;
    spend(bits.length + QUESTION_OVERHEAD);
    return bits;
  };
}
