// Trace ids: each verdict word names a story, the chain of decisions that led to the verdict. Kept in user space, so
// that the kernel pays nothing for a full trace.
import type { TraceEntry } from '../model/trace.ts';

/** A way through the tiers so far. */
export interface Story {
  readonly id: number;
  readonly before: Story | undefined;
  readonly entry: TraceEntry;
}

/** Ids must fit the upper 24 bits of a verdict word. */
const MAX_ID = 2 ** 24 - 1;
/** Words of older images may still be in events on their way. */
const IMAGES_REMEMBERED = 8;

interface Known {
  story: Story;
  image: number;
}

export class Stories {
  readonly #byKey = new Map<string, Known>();
  readonly #byId = new Map<number, Known>();
  #image = 0;
  #nextId = 1;

  get size(): number {
    return this.#byId.size;
  }

  beginImage(): void {
    this.#image += 1;
    if (this.#image % IMAGES_REMEMBERED !== 0) return;
    for (const [key, known] of this.#byKey) {
      if (known.image > this.#image - IMAGES_REMEMBERED) continue;
      this.#byKey.delete(key);
      this.#byId.delete(known.story.id);
    }
  }

  /** The story that goes on from `before` with this entry; the same object, id included, for the same decisions. */
  extend(before: Story | undefined, entry: TraceEntry): Story {
    const { tier, kind, namespace, name, action, ruleIndex } = entry;
    const key = JSON.stringify([before?.id ?? 0, tier, kind, namespace ?? '', name, action, ruleIndex]);
    let known = this.#byKey.get(key);
    if (known === undefined) {
      known = { story: { id: this.#freeId(), before, entry }, image: this.#image };
      this.#byKey.set(key, known);
      this.#byId.set(known.story.id, known);
    } else if (known.story.entry.location !== entry.location) {
      known.story = { ...known.story, before, entry };
    }
    this.#touch(known);
    return known.story;
  }

  /** Keeps a story, with all that led to it, for this image. */
  keep(id: number): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#touch(known);
  }

  /** The decisions of a trace id in order; undefined for an id that is not known (any more). */
  trace(id: number): TraceEntry[] | undefined {
    let known = this.#byId.get(id);
    if (known === undefined) return undefined;
    const entries: TraceEntry[] = [];
    while (known !== undefined) {
      entries.unshift(known.story.entry);
      known = known.story.before === undefined ? undefined : this.#byId.get(known.story.before.id);
    }
    return entries;
  }

  #touch(known: Known): void {
    let current: Known | undefined = known;
    while (current !== undefined && current.image !== this.#image) {
      current.image = this.#image;
      current = current.story.before === undefined ? undefined : this.#byId.get(current.story.before.id);
    }
  }

  #freeId(): number {
    while (this.#byId.has(this.#nextId)) this.#nextId = (this.#nextId % MAX_ID) + 1;
    const id = this.#nextId;
    this.#nextId = (this.#nextId % MAX_ID) + 1;
    return id;
  }
}
