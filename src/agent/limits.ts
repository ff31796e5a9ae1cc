// Every limit on what policy may cost, by the name that people raise it with: docs/limits.md.
import { DataplaneError } from '../base/errors.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS } from '../calc/limits.ts';
import { DEFAULT_MANIFEST_LIMITS, type ManifestLimits } from '../resources/sources/manifest-limits.ts';
import { DEFAULT_TABLE_LIMITS, type TableLimits } from '../tables/limits.ts';

export interface Limits {
  readonly manifests: ManifestLimits;
  readonly calc: CalcLimits;
  readonly tables: TableLimits;
}

export const DEFAULT_LIMITS: Limits = {
  manifests: DEFAULT_MANIFEST_LIMITS,
  calc: DEFAULT_CALC_LIMITS,
  tables: DEFAULT_TABLE_LIMITS,
};

/** A limit's name on the command line, and where it is. */
interface LimitPlace {
  readonly group: keyof Limits;
  readonly field: string;
  readonly value: number;
}

/** The value of each limit by its name. */
export function limitsByName(limits: Limits): ReadonlyMap<string, number> {
  return new Map([...placesOf(limits)].map(([name, { value }]) => [name, value]));
}

/** The defaults with some of them changed: `<name>=<number>` each. Throws USAGE. */
export function parseLimits(settings: readonly string[]): Limits {
  const places = placesOf(DEFAULT_LIMITS);
  const changed: Record<keyof Limits, Record<string, number>> = { manifests: {}, calc: {}, tables: {} };
  for (const setting of settings) {
    const [name = '', text = ''] = setting.split('=', 2);
    const place = places.get(name);
    if (place === undefined) throw unusable('no such limit', setting, `one of ${[...places.keys()].join(', ')}`);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
      throw unusable('is not a limit', setting, '<name>=<number>, the number 1 or more');
    }
    changed[place.group][place.field] = value;
  }
  return {
    manifests: { ...DEFAULT_LIMITS.manifests, ...changed.manifests },
    calc: { ...DEFAULT_LIMITS.calc, ...changed.calc },
    tables: { ...DEFAULT_LIMITS.tables, ...changed.tables },
  };
}

function placesOf(limits: Limits): Map<string, LimitPlace> {
  const places = new Map<string, LimitPlace>();
  for (const group of ['manifests', 'calc', 'tables'] as const) {
    for (const [field, value] of Object.entries(limits[group])) {
      const name = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      places.set(group === 'manifests' ? `manifest-${name}` : name, { group, field, value });
    }
  }
  return places;
}

function unusable(what: string, setting: string, expected: string): DataplaneError {
  return new DataplaneError('USAGE', what, { operation: 'set', target: `--limit ${setting}`, expected });
}
