// How full pinned maps are, and what they cost. Opens and reads, never writes.
import { loadNative, translateErrors } from '../../kernel/native.ts';
import { Pins } from '../../kernel/pins.ts';
import type { MapReading } from '../../observe/metrics/source.ts';
import { pinnedMapMemory } from '../map-memory.ts';

/** enum bpf_map_type (UAPI, linux/bpf.h): those whose entries come and go. */
const HASHES: ReadonlySet<number> = new Set([1, 5, 9, 10]);

/** Every map under the pins. Throws PERMISSION, KERNEL. */
export function readMaps(pinRoot: string): MapReading[] {
  const pins = new Pins(pinRoot);
  return pinnedMapMemory(pinRoot).map(({ name, bytes, entries: maxEntries }) => ({
    name,
    bytes,
    maxEntries,
    entries: countEntries(pins.map(name)),
  }));
}

/** undefined = all of them are always there. */
function countEntries(path: string): number | undefined {
  const map = translateErrors('open map', path, () => loadNative().BpfMap.openPinned(path));
  try {
    if (!HASHES.has(map.info.type)) return undefined;
    return map.keys().length / map.info.keySize;
  } finally {
    map.close();
  }
}
