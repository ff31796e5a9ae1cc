// Trace ids: each verdict word names a story, the chain of decisions that led to the verdict, and where staged policies
// govern also the chain that would have. Kept in user space, so that the kernel pays nothing for a full trace.
import type { Direction } from '../model/policy.ts';
import type { TraceEntry } from '../model/trace.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';

/** A way through the tiers so far. */
export interface Story {
  readonly id: number;
  readonly entry: TraceEntry;
}

/** What a trace id stands for. */
export interface Told {
  readonly trace: readonly TraceEntry[];
  /** undefined = no staged policy governs. */
  readonly pending?: readonly TraceEntry[];
}

/** Ids must fit the upper 24 bits of a verdict word. */
const MAX_ID = 2 ** 24 - 1;
/** Words of older images may still be in events on their way. */
const IMAGES_REMEMBERED = 8;

/** A link of a chain, or two chains told together; `image` is the last that used it. */
interface Known {
  readonly id: number;
  readonly kind: 'chain' | 'pair';
  /** Chain: the link before, or 0. Pair: the end of the enforced chain. */
  readonly first: number;
  /** Pair: the end of the pending chain. */
  readonly second: number;
  /** Chain only. */
  story: Story | undefined;
  image: number;
}

export class Stories {
  readonly #limits: TableLimits;
  readonly #byKey = new Map<string, Known>();
  readonly #byId = new Map<number, Known>();
  #image = 0;
  /** Ids that this image uses. */
  #used = 0;
  #nextId = 1;

  constructor(limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  beginImage(): void {
    this.#image += 1;
    this.#used = 0;
    if (this.#image % IMAGES_REMEMBERED !== 0) return;
    for (const [key, known] of this.#byKey) {
      if (known.image > this.#image - IMAGES_REMEMBERED) continue;
      this.#byKey.delete(key);
      this.#byId.delete(known.id);
    }
  }

  /**
   * The story that goes on from `before`, or begins with this entry in that direction; the same object, id included, for
   * the same decisions. Where a rule is written may change without a new id: words must not change when lines move.
   */
  extend(before: Story | Direction, entry: TraceEntry): Story {
    const { tier, kind, namespace, name, action, ruleIndex } = entry;
    const start = typeof before === 'string' ? before : before.id;
    const key = JSON.stringify([start, tier, kind, namespace ?? '', name, action, ruleIndex]);
    const known = this.#byKey.get(key) ?? this.#add(key, 'chain', typeof before === 'string' ? 0 : before.id, 0);
    if (known.story === undefined || known.story.entry.location !== entry.location) {
      known.story = { id: known.id, entry };
    }
    this.#touch(known);
    return known.story;
  }

  /** The id that stands for an enforced and a pending story told together, given by their ids. */
  pair(enforced: number, pending: number): number {
    const key = `${enforced}+${pending}`;
    const known = this.#byKey.get(key) ?? this.#add(key, 'pair', enforced, pending);
    this.#touch(known);
    return known.id;
  }

  /** Keeps a story, with all that led to it, for this image. */
  keep(id: number): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#touch(known);
  }

  /** The decisions of a trace id in order; undefined for an id that is not known (any more). */
  tell(id: number): Told | undefined {
    const known = this.#byId.get(id);
    if (known === undefined) return undefined;
    if (known.kind === 'chain') return { trace: this.#chain(id) };
    return { trace: this.#chain(known.first), pending: this.#chain(known.second) };
  }

  #chain(id: number): TraceEntry[] {
    const entries: TraceEntry[] = [];
    for (let known = this.#byId.get(id); known?.story !== undefined; known = this.#byId.get(known.first)) {
      entries.unshift(known.story.entry);
    }
    return entries;
  }

  #add(key: string, kind: Known['kind'], first: number, second: number): Known {
    const known: Known = { id: this.#freeId(), kind, first, second, story: undefined, image: -1 };
    this.#byKey.set(key, known);
    this.#byId.set(known.id, known);
    return known;
  }

  #touch(known: Known | undefined): void {
    let current = known;
    while (current !== undefined && current.image !== this.#image) {
      current.image = this.#image;
      this.#used += 1;
      requireWithin('traceIds', this.#used, this.#limits);
      if (current.second !== 0) this.#touch(this.#byId.get(current.second));
      current = this.#byId.get(current.first);
    }
  }

  #freeId(): number {
    while (this.#byId.has(this.#nextId)) this.#nextId = (this.#nextId % MAX_ID) + 1;
    const id = this.#nextId;
    this.#nextId = (this.#nextId % MAX_ID) + 1;
    return id;
  }
}
