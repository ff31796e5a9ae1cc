// One text for all that judges packets in the pinned maps: the image in force, and who is behind which interface. Two
// moments with the same fingerprint judge alike. Only reads.
import { createHash } from 'node:crypto';
import { Root, State } from '../abi/heap.gen.ts';
import { reachableRegions } from '../tables/adoption.ts';
import type { Region } from '../tables/region.ts';
import type { BpfMap } from './native.ts';

type PolicyMaps = Readonly<Record<'heap' | 'v6Nodes' | 'state' | 'endpoints' | 'addresses' | 'sources', BpfMap>>;

const ROOT_WORDS = Root.SIZE / 4;

export class PolicyFingerprint {
  readonly #maps: PolicyMaps;
  readonly #heap: Uint32Array;
  readonly #v6Nodes: Uint32Array;
  readonly #state: Uint32Array;
  readonly #endpoints: Uint8Array;
  readonly #hosts: () => Uint32Array | undefined;

  /** `hosts` = the table of the host's interfaces, if there is one. */
  constructor(maps: PolicyMaps, hosts: () => Uint32Array | undefined) {
    this.#maps = maps;
    this.#hosts = hosts;
    this.#heap = new Uint32Array(maps.heap.mmap());
    this.#v6Nodes = new Uint32Array(maps.v6Nodes.mmap());
    this.#state = new Uint32Array(maps.state.mmap());
    this.#endpoints = new Uint8Array(maps.endpoints.mmap());
  }

  /** As the maps are now; undefined = no image of this layout is in force. Only while nobody writes to them. */
  take(): string | undefined {
    const root = this.#rootWords();
    const word = (field: keyof typeof Root.OFFSET): number => root[Root.OFFSET[field] / 4] as number;
    const arrays = { heap: this.#heap, v6Nodes: this.#v6Nodes };
    const regions = reachableRegions(arrays, {
      v4Root: word('v4_root'),
      v6Root: word('v6_root'),
      l4Classes: word('l4_classes'),
      sourceClasses: word('source_classes'),
      policies: word('policies'),
      directory: word('directory'),
      directoryRegions: word('directory_regions'),
    });
    if (regions === undefined) return undefined;
    const hash = createHash('sha256').update(root).update(this.#endpoints);
    hash.update(this.#hosts() ?? '');
    for (const array of ['heap', 'v6Nodes'] as const) {
      for (const { offset, length } of regions[array]) {
        hash.update(placeOf({ offset, length })).update(arrays[array].subarray(offset, offset + length));
      }
    }
    for (const map of [this.#maps.addresses, this.#maps.sources]) hash.update(rowsOf(map).join());
    return hash.digest('base64url');
  }

  #rootWords(): Uint32Array {
    const active = (this.#state[State.OFFSET.active / 4] as number) & 1;
    const at = State.OFFSET.root / 4 + active * ROOT_WORDS;
    return this.#state.slice(at, at + ROOT_WORDS);
  }
}

function placeOf({ offset, length }: Region): Uint32Array {
  return Uint32Array.of(offset, length);
}

/** The kernel lists entries of a hash in any order. */
function rowsOf(map: BpfMap): string[] {
  const { keys, values, count } = map.entries();
  const { keySize } = map.info;
  const valueSize = count === 0 ? 0 : values.length / count;
  return Array.from({ length: count }, (_, row) => {
    const key = keys.subarray(row * keySize, (row + 1) * keySize);
    const value = values.subarray(row * valueSize, (row + 1) * valueSize);
    return `${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`;
  }).sort();
}
