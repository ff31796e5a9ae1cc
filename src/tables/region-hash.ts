// The hash by which regions are found. Knows words and positions only.

/** A sum over words and positions, so that a patch changes it by its own words; equality is checked on top. */
export function hashWords(content: Uint32Array): number {
  let hash = 0;
  for (let index = 0; index < content.length; index += 1) {
    hash = (hash + hashWord(index, content[index] as number)) | 0;
  }
  return hash >>> 0;
}

/** Multiplications and shifts of a finalizer: every bit of both numbers reaches every bit of the result. */
export function hashWord(position: number, word: number): number {
  let mixed = Math.imul(word ^ Math.imul(position + 1, 0x9e3779b1), 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 13);
}
