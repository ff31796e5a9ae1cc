// Finds the little that makes a failure out of the much in which it was found.

type Path = readonly (string | number)[];
type Node = Record<string | number, unknown>;

/**
 * A copy of the JSON value from which no single item or field can be left out without isBad becoming false.
 * Gives back the best so far when time runs out. isBad must not throw.
 */
export function smallest<T>(value: T, isBad: (candidate: T) => boolean, budgetMs: number): T {
  const search = new Search(value, isBad, performance.now() + budgetMs);
  while (search.pass());
  return search.best;
}

class Search<T> {
  best: T;
  readonly #isBad: (candidate: T) => boolean;
  readonly #deadline: number;
  #isSmaller = false;

  constructor(value: T, isBad: (candidate: T) => boolean, deadline: number) {
    this.best = value;
    this.#isBad = isBad;
    this.#deadline = deadline;
  }

  /** Tries to leave out each part once, large ones first. Returns whether another pass may find more. */
  pass(): boolean {
    this.#isSmaller = false;
    this.#reduce([]);
    return this.#isSmaller && performance.now() < this.#deadline;
  }

  #reduce(path: Path): void {
    const node = nodeAt(this.best, path);
    if (Array.isArray(node)) this.#reduceList(path, node.length);
    else if (typeof node === 'object' && node !== null) {
      for (const key of Object.keys(node)) if (!this.#leaveOut([...path, key], 1)) this.#reduce([...path, key]);
    }
  }

  #reduceList(path: Path, length: number): void {
    for (let count = length; count >= 1; count = Math.floor(count / 2)) {
      let start = 0;
      while (start < (nodeAt(this.best, path) as unknown[]).length) {
        if (!this.#leaveOut([...path, start], count)) start += count;
      }
    }
    for (const index of (nodeAt(this.best, path) as unknown[]).keys()) this.#reduce([...path, index]);
  }

  #leaveOut(path: Path, count: number): boolean {
    if (performance.now() > this.#deadline) return false;
    const candidate = structuredClone(this.best);
    const parent = nodeAt(candidate, path.slice(0, -1)) as Node | unknown[];
    const last = path.at(-1) as string | number;
    if (Array.isArray(parent)) parent.splice(last as number, count);
    else delete parent[last];
    if (!this.#isBad(candidate)) return false;
    this.best = candidate;
    this.#isSmaller = true;
    return true;
  }
}

function nodeAt(value: unknown, path: Path): unknown {
  return path.reduce((node, step) => (node as Node)[step], value);
}
