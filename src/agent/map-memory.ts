// What pinned maps cost in kernel memory, by the kernel's own account. Part of `tortie tables stats`: opens and reads,
// never writes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadNative, translateErrors } from '../kernel/native.ts';
import { Pins } from '../kernel/pins.ts';

export interface MapMemory {
  readonly name: string;
  readonly entries: number;
  /** Kernel memory, in use or set aside; maps that grow with their entries cost what they hold now. */
  readonly bytes: number;
}

const OPEN_FILES = '/proc/self/fdinfo';

/** Every map under the pins, the costliest first. Throws PERMISSION, KERNEL. */
export function pinnedMapMemory(pinRoot: string): MapMemory[] {
  const open = new Pins(pinRoot).mapDirectories.flatMap((directory) =>
    readdirSync(directory).map((name) => {
      const path = join(directory, name);
      return { name, map: translateErrors('open map', path, () => loadNative().BpfMap.openPinned(path)) };
    }),
  );
  try {
    const bytes = memoryById(readdirSync(OPEN_FILES).map((file) => readIfOpen(join(OPEN_FILES, file))));
    return open
      .map(({ name, map }) => ({ name, entries: map.info.maxEntries, bytes: bytes.get(map.info.id) ?? 0 }))
      .sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
  } finally {
    for (const { map } of open) map.close();
  }
}

/** Bytes by map id, from texts of /proc/<pid>/fdinfo; those of other files are passed over. */
export function memoryById(texts: readonly string[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const text of texts) {
    const [id, bytes] = [/^map_id:\s*(\d+)$/m.exec(text)?.[1], /^memlock:\s*(\d+)$/m.exec(text)?.[1]];
    if (id !== undefined && bytes !== undefined) found.set(Number(id), Number(bytes));
  }
  return found;
}

/** Other threads open and close files meanwhile. */
function readIfOpen(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
