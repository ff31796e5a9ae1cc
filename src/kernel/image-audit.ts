// Compares the image in force, as the kernel's arrays hold it, with what was compiled: a part each time, so that no audit
// takes long, and writes back what differs.
import { reachableRegions } from '../tables/adoption.ts';
import type { TableCompiler } from '../tables/compiler.ts';
import type { TableImage } from '../tables/image.ts';
import type { BpfMap } from './native.ts';
import type { Repair } from './repair.ts';

/** Some milliseconds. The largest tables there are by default take six audits, most take one. */
const WORDS_PER_AUDIT = 2 ** 22;

type ArrayName = 'heap' | 'v6Nodes';
const ARRAYS: readonly ArrayName[] = ['heap', 'v6Nodes'];
const MAP_NAMES: Readonly<Record<ArrayName, string>> = { heap: 'tt_heap', v6Nodes: 'tt_v6_nodes' };

/** Of one array, in order of offset. */
interface Places {
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
}

export class ImageAudit {
  readonly #arrays: Readonly<Record<ArrayName, Uint32Array>>;
  #image: TableImage | undefined;
  #places: Readonly<Record<ArrayName, Places>> | undefined;
  /** Where the next audit goes on: images come and go, the arrays stay. */
  #next: { readonly array: ArrayName; readonly offset: number } = { array: 'heap', offset: 0 };

  constructor(maps: Readonly<Record<ArrayName, BpfMap>>) {
    this.#arrays = { heap: new Uint32Array(maps.heap.mmap()), v6Nodes: new Uint32Array(maps.v6Nodes.mmap()) };
  }

  /** The next part; not while an image is being written. */
  restore(image: TableImage, compiler: TableCompiler): Repair[] {
    const mirrors = { heap: compiler.heap.words, v6Nodes: compiler.v6Nodes.words };
    if (image !== this.#image) {
      const regions = reachableRegions(mirrors, image.root);
      this.#places = regions && { heap: inOrder(regions.heap), v6Nodes: inOrder(regions.v6Nodes) };
      this.#image = image;
    }
    let left = WORDS_PER_AUDIT;
    const repairs: Repair[] = [];
    for (let turn = 0; turn < ARRAYS.length && left > 0; turn += 1) {
      const { array } = this.#next;
      const repair = new Stretch(this.#arrays[array], mirrors[array]);
      left = this.#goOn(repair, left);
      if (repair.words > 0) repairs.push({ cause: 'table-edited', target: MAP_NAMES[array], found: repair.describe() });
    }
    return repairs;
  }

  /** Returns how many words of the budget are left: none unless the array's end was reached. */
  #goOn(stretch: Stretch, budget: number): number {
    const { array, offset } = this.#next;
    const { offsets, lengths } = this.#places?.[array] ?? { offsets: new Uint32Array(), lengths: new Uint32Array() };
    let left = budget;
    for (let index = firstFrom(offsets, offset); index < offsets.length; index += 1) {
      if (left <= 0) {
        this.#next = { array, offset: offsets[index] as number };
        return 0;
      }
      stretch.restore(offsets[index] as number, lengths[index] as number);
      left -= lengths[index] as number;
    }
    this.#next = { array: array === 'heap' ? 'v6Nodes' : 'heap', offset: 0 };
    return left;
  }
}

/** One walk along an array: what differed on it. */
class Stretch {
  readonly #kernel: Uint32Array;
  readonly #mirror: Uint32Array;
  #first = 0;
  words = 0;

  constructor(kernel: Uint32Array, mirror: Uint32Array) {
    this.#kernel = kernel;
    this.#mirror = mirror;
  }

  restore(offset: number, length: number): void {
    const [kernel, mirror] = [this.#kernel, this.#mirror];
    for (let at = offset; at < offset + length; at += 1) {
      if (kernel[at] === mirror[at]) continue;
      if (this.words === 0) this.#first = at;
      this.words += 1;
      Atomics.store(kernel, at, mirror[at] as number);
    }
  }

  describe(): string {
    return `${this.words} other words, the first at ${this.#first}`;
  }
}

function inOrder(regions: readonly { readonly offset: number; readonly length: number }[]): Places {
  const sorted = [...regions].sort((a, b) => a.offset - b.offset);
  return {
    offsets: Uint32Array.from(sorted, ({ offset }) => offset),
    lengths: Uint32Array.from(sorted, ({ length }) => length),
  };
}

/** Index of the first offset that is not before `from`. */
function firstFrom(offsets: Uint32Array, from: number): number {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
