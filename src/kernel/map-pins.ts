// Pins of the maps that outlive the agent: a pin that somebody removed or replaced is made again, from the map that the
// agent holds open.
import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from './make-directory.ts';
import type { BpfMap } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import type { Pins } from './pins.ts';
import type { Repair } from './repair.ts';

export class MapPins {
  readonly #maps: ReadonlyMap<string, BpfMap>;
  readonly #pins: Pins;

  constructor(maps: ReadonlyMap<string, BpfMap>, pins: Pins) {
    this.#maps = maps;
    this.#pins = pins;
  }

  /** Makes sure that each pin leads to its map. Returns what was wrong. Throws PERMISSION or KERNEL. */
  ensure(): Repair[] {
    return [...this.#maps].flatMap(([name, map]) => this.#ensureOne(this.#pins.map(name), map) ?? []);
  }

  #ensureOne(path: string, map: BpfMap): Repair | undefined {
    const isThere = existsSync(path);
    if (isThere && leadsTo(path, map)) return undefined;
    translateErrors('pin map', path, () => {
      makeDirectory(dirname(path));
      rmSync(path, { force: true });
      map.pin(path);
    });
    return isThere
      ? { cause: 'pin-replaced', target: path, found: 'another object' }
      : { cause: 'pin-missing', target: path, found: 'nothing' };
  }
}

function leadsTo(path: string, map: BpfMap): boolean {
  try {
    const found = loadNative().BpfMap.openPinned(path);
    const isSame = found.info.id === map.info.id;
    found.close();
    return isSame;
  } catch (error) {
    if (errnoName(error) === 'EINVAL' || errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}
