// What one source says of the settings, and which source wins: flag, environment, file, FelixConfiguration, default.
import type { Setting } from './setting.ts';
import { ALL_SETTINGS } from './settings.ts';
import type { SettingValue } from './value-type.ts';

/** The first that says something of a setting wins. */
export const SOURCES = ['flag', 'environment', 'file', 'FelixConfiguration', 'default'] as const;
export type SourceName = (typeof SOURCES)[number];

export interface GivenValue {
  readonly value: SettingValue;
  /** Where exactly: a flag, a variable, file and line, object and field. */
  readonly origin: string;
}

/** By name of the setting. */
export type Layer = ReadonlyMap<string, GivenValue>;
export type Layers = Readonly<Record<Exclude<SourceName, 'default'>, Layer>>;

export interface ResolvedSetting extends GivenValue {
  readonly source: SourceName;
  /** What sources that come after it say, in their order. */
  readonly hidden: readonly (GivenValue & { readonly source: SourceName })[];
}

/** Every setting, by name. */
export type ResolvedSettings = ReadonlyMap<string, ResolvedSetting>;

export const NO_LAYERS: Layers = {
  flag: new Map(),
  environment: new Map(),
  file: new Map(),
  FelixConfiguration: new Map(),
};

/** The effective value of every setting. */
export function resolveSettings(layers: Layers): ResolvedSettings {
  const resolved = new Map<string, ResolvedSetting>();
  const values = new Map<string, SettingValue>();
  for (const [name, setting] of ALL_SETTINGS) {
    const given = SOURCES.flatMap((source) => {
      const one = source === 'default' ? defaultOf(setting, values) : layers[source].get(name);
      return one === undefined ? [] : [{ ...one, source }];
    });
    const [first, ...hidden] = given as [(typeof given)[number], ...typeof given];
    resolved.set(name, { ...first, hidden: hidden.filter(({ source }) => source !== 'default') });
    values.set(name, first.value);
  }
  return resolved;
}

function defaultOf({ default: value }: Setting, above: ReadonlyMap<string, SettingValue>): GivenValue {
  return { value: typeof value === 'function' ? value(above) : value, origin: '' };
}
