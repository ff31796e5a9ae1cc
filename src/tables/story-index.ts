// Finds stories by what they say, chained by hash through the stories themselves: there may be hundreds of thousands,
// and a key of text for each would cost more than all else that is known of them. Part of Stories.
import type { TraceEntry } from '../model/trace.ts';

/** What the index knows of a story. */
export interface Indexed {
  readonly hash: number;
  /** The next of its chain. */
  next: Indexed | undefined;
}

const INITIAL_HEADS = 1 << 10;
/** Stories for each chain before there are twice as many chains. */
const MAX_LOAD = 2;

export class StoryIndex<T extends Indexed> {
  #heads: (Indexed | undefined)[] = headsOf(INITIAL_HEADS);
  #count = 0;

  /** The first of the chain of that hash; others follow as `next`, some with other hashes. */
  chainOf(hash: number): T | undefined {
    return this.#heads[hash & (this.#heads.length - 1)] as T | undefined;
  }

  add(story: T): void {
    if (this.#count >= MAX_LOAD * this.#heads.length) this.#grow();
    this.#link(story);
    this.#count += 1;
  }

  /** Only what was added. */
  remove(story: T): void {
    const head = story.hash & (this.#heads.length - 1);
    if (this.#heads[head] === story) this.#heads[head] = story.next;
    else {
      let before = this.#heads[head];
      while (before !== undefined && before.next !== story) before = before.next;
      if (before !== undefined) before.next = story.next;
    }
    story.next = undefined;
    this.#count -= 1;
  }

  #link(story: Indexed): void {
    const head = story.hash & (this.#heads.length - 1);
    story.next = this.#heads[head];
    this.#heads[head] = story;
  }

  #grow(): void {
    const before = this.#heads;
    this.#heads = headsOf(2 * before.length);
    for (const head of before) {
      for (let story = head; story !== undefined; ) {
        const { next } = story;
        this.#link(story);
        story = next;
      }
    }
  }
}

function headsOf(count: number): (Indexed | undefined)[] {
  return new Array<Indexed | undefined>(count).fill(undefined);
}

/** Of a decision after what `start` stands for. Where the rule is written does not count. */
export function hashOfEntry(start: number, { namespace, name, action, ruleIndex }: TraceEntry): number {
  const text = hashOfText(name, namespace === undefined ? 0 : hashOfText(namespace, 1));
  return hashOfPair(hashOfPair(start, ruleIndex), text + action.length);
}

export function hashOfPair(first: number, second: number): number {
  let hash = Math.imul(first ^ Math.imul(second + 1, 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0xc2b2ae35) ^ (hash >>> 13);
}

export function isSameDecision(a: TraceEntry, b: TraceEntry): boolean {
  return (
    a.ruleIndex === b.ruleIndex &&
    a.action === b.action &&
    a.name === b.name &&
    (a.namespace ?? '') === (b.namespace ?? '') &&
    a.kind === b.kind &&
    a.tier === b.tier
  );
}

function hashOfText(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
