// What src/kernel writes of the addresses that endpoints may send from, caught in maps of this process.
// Nothing of the kernel is in here.
import { Endpoint, Local, SourceKey } from '../../src/abi/endpoint.gen.ts';
import { type BoundEndpoint, EndpointWriter } from '../../src/kernel/endpoint-writer.ts';
import type { BpfMap } from '../../src/kernel/native.ts';

/** As many as tt_endpoints of the harness has. */
const SLOTS = 64;
const FIRST_IFINDEX = 10;

/** A key of tt_sources and its value. */
export interface SourceRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Rows of tt_sources for endpoints with these ids, addresses and prefixes. */
export function sourceRowsOf(
  endpoints: readonly Pick<BoundEndpoint, 'id' | 'addresses' | 'allowedSourcePrefixes'>[],
): SourceRow[] {
  const sources = new MemoryMap(SourceKey.SIZE, 4);
  const maps = { endpoints: new MemoryMap(4, Endpoint.SIZE), addresses: new MemoryMap(16, Local.SIZE), sources };
  const place = { hostMac: '', mac: '', peerDelivery: false, checkMac: false, mtu: 1500 };
  new EndpointWriter(maps).writeAll(
    endpoints.map((endpoint, index) => ({
      key: `${endpoint.id}`,
      ifindex: FIRST_IFINDEX + index,
      ...place,
      ...endpoint,
    })),
  );
  return sources.rows();
}

/** A map of this process, for writers that see no difference. */
class MemoryMap implements BpfMap {
  readonly info: BpfMap['info'];
  readonly #memory: ArrayBuffer;
  readonly #rows = new Map<string, SourceRow>();

  constructor(keySize: number, valueSize: number) {
    this.info = { id: 0, name: 'memory', type: 0, keySize, valueSize, maxEntries: SLOTS, flags: 0 };
    this.#memory = new ArrayBuffer(SLOTS * valueSize);
  }

  rows(): SourceRow[] {
    return [...this.#rows.values()];
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(nameOf(key))?.value;
  }

  update(key: Uint8Array, value: Uint8Array): void {
    this.#rows.set(nameOf(key), { key: Uint8Array.from(key), value: Uint8Array.from(value) });
  }

  updateBatch(keys: Uint8Array, values: Uint8Array, count: number): void {
    const { keySize, valueSize } = this.info;
    for (let row = 0; row < count; row += 1) {
      const key = keys.subarray(row * keySize, (row + 1) * keySize);
      this.update(key, values.subarray(row * valueSize, (row + 1) * valueSize));
    }
  }

  /** It holds no programs. */
  setProgram(): void {}

  delete(key: Uint8Array): boolean {
    return this.#rows.delete(nameOf(key));
  }

  keys(): Uint8Array {
    return Buffer.concat(this.rows().map(({ key }) => key));
  }

  entries(): { readonly keys: Uint8Array; readonly values: Uint8Array; readonly count: number } {
    const rows = this.rows();
    return { keys: this.keys(), values: Buffer.concat(rows.map(({ value }) => value)), count: rows.length };
  }

  mmap(): ArrayBuffer {
    return this.#memory;
  }

  /** Of this process only: there is nowhere to pin it. */
  pin(): void {}

  close(): void {
    this.#rows.clear();
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}
