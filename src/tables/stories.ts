// Trace ids: each verdict word names a story, the chain of decisions that led to the verdict, and where staged policies
// govern also the chain that would have. Kept in user space, so that the kernel pays nothing for a full trace.
import type { Direction } from '../model/policy.ts';
import type { TraceEntry } from '../model/trace.ts';
import { DEFAULT_TABLE_LIMITS, requireWithin, type TableLimits } from './limits.ts';
import { hashOfEntry, hashOfPair, type Indexed, isSameDecision, StoryIndex } from './story-index.ts';

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

/** A link of a chain, or two chains told together. */
interface Known extends Indexed {
  readonly id: number;
  /** Of a chain its last decision, as it was last written; of a pair that of its enforced chain. */
  entry: TraceEntry;
  /** Chain: what it begins with or goes on from, see startOf. Pair: id of its enforced chain. */
  readonly start: number;
  readonly kind: 'chain' | 'pair';
  /** Chain: the link before. Pair: the end of the enforced chain. */
  readonly first: Known | undefined;
  /** Pair: the end of the pending chain. */
  readonly second: Known | undefined;
  /** Rows that have the id, and stories that go on from it. */
  uses: number;
  /** The image in which it was made or given up. */
  image: number;
  /** Counts against the limit: has uses, or was made in this image. */
  isLive: boolean;
}

export class Stories {
  readonly #limits: TableLimits;
  readonly #index = new StoryIndex<Known>();
  readonly #byId = new Map<number, Known>();
  /** Without uses when they were put here, oldest first. */
  #unused: Known[] = [];
  /** Made in this image. */
  #made: Known[] = [];
  #liveCount = 0;
  #image = 0;

  constructor(limits: TableLimits = DEFAULT_TABLE_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Forgets what no row has had for some images. */
  beginImage(): void {
    this.#image += 1;
    for (const known of this.#made) if (known.uses === 0) this.#retire(known);
    this.#made = [];
    const kept: Known[] = [];
    for (let at = 0; at < this.#unused.length; at += 1) {
      const known = this.#unused[at] as Known;
      if (known.uses > 0 || this.#byId.get(known.id) !== known) continue;
      if (known.image > this.#image - IMAGES_REMEMBERED) kept.push(known);
      else this.#forget(known);
    }
    this.#unused = kept;
  }

  /** The image under way comes to nothing: what is remembered does not age by it. */
  abandonImage(): void {
    this.#image -= 1;
  }

  /**
   * The story that goes on from `before`, or begins with this entry in that direction; the same object, id included, for
   * the same decisions. Where a rule is written may change without a new id: words must not change when lines move.
   * Throws LIMIT_EXCEEDED.
   */
  extend(before: Story | Direction, entry: TraceEntry): Story {
    const start = startOf(before);
    const hash = hashOfEntry(start, entry);
    const known =
      this.#findChain(start, hash, entry) ??
      this.#add('chain', start, hash, entry, typeof before === 'string' ? undefined : this.#byId.get(before.id));
    known.entry = entry;
    return known;
  }

  /** The id that stands for an enforced and a pending story told together, given by their ids. Throws LIMIT_EXCEEDED. */
  pair(enforced: number, pending: number): number {
    const hash = hashOfPair(enforced, pending);
    for (let known = this.#index.chainOf(hash); known !== undefined; known = known.next as Known | undefined) {
      if (known.kind === 'pair' && known.start === enforced && known.second?.id === pending) return known.id;
    }
    const first = this.#byId.get(enforced) as Known;
    return this.#add('pair', enforced, hash, first.entry, first, this.#byId.get(pending)).id;
  }

  /** One more row has the id: it is kept, with all that led to it, until release and some images beyond. */
  retain(id: number): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#retain(known);
  }

  /** The exact mirror of retain. */
  release(id: number): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#release(known);
  }

  /** The decisions of a trace id in order; undefined for an id that is not known (any more). */
  tell(id: number): Told | undefined {
    const known = this.#byId.get(id);
    if (known === undefined) return undefined;
    if (known.kind === 'chain') return { trace: chainOf(known) };
    return { trace: chainOf(known.first), pending: chainOf(known.second) };
  }

  #findChain(start: number, hash: number, entry: TraceEntry): Known | undefined {
    for (let known = this.#index.chainOf(hash); known !== undefined; known = known.next as Known | undefined) {
      if (known.hash !== hash || known.start !== start || known.kind !== 'chain') continue;
      if (isSameDecision(known.entry, entry)) return known;
    }
    return undefined;
  }

  #add(kind: Known['kind'], start: number, hash: number, entry: TraceEntry, first?: Known, second?: Known): Known {
    requireWithin('traceIds', this.#liveCount + 1, this.#limits);
    const id = this.#freeId(hash);
    const image = this.#image;
    const known: Known = { id, entry, start, hash, next: undefined, kind, first, second, uses: 0, image, isLive: true };
    if (first !== undefined) this.#retain(first);
    if (second !== undefined) this.#retain(second);
    this.#index.add(known);
    this.#byId.set(known.id, known);
    this.#made.push(known);
    this.#liveCount += 1;
    return known;
  }

  #retain(known: Known): void {
    known.uses += 1;
    if (known.isLive) return;
    known.isLive = true;
    this.#liveCount += 1;
  }

  #release(known: Known): void {
    known.uses -= 1;
    if (known.uses === 0) this.#retire(known);
  }

  #retire(known: Known): void {
    if (known.isLive) this.#liveCount -= 1;
    known.isLive = false;
    known.image = this.#image;
    this.#unused.push(known);
  }

  #forget(known: Known): void {
    this.#index.remove(known);
    this.#byId.delete(known.id);
    if (known.first !== undefined) this.#release(known.first);
    if (known.second !== undefined) this.#release(known.second);
  }

  /** From what the story says: an agent that starts again gives it the id that words in force have, whatever came before. */
  #freeId(hash: number): number {
    let id = ((hash >>> 0) % MAX_ID) + 1;
    while (this.#byId.has(id)) id = (id % MAX_ID) + 1;
    return id;
  }
}

/** Stands for the story before; ids begin with 1. */
function startOf(before: Story | Direction): number {
  if (typeof before !== 'string') return before.id;
  return before === 'ingress' ? -1 : -2;
}

function chainOf(last: Known | undefined): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (let known = last; known !== undefined; known = known.first) entries.push(known.entry);
  return entries.reverse();
}
