// What a setting is: its names in all sources, its type, default and meaning. All of them are in settings.ts.
import type { FelixConfigurationSpec, UsedFelixField } from '../../resources/schemas/felix-configuration.ts';
import type { SettingValue, ValueType } from './value-type.ts';

/** When a changed value counts: at once, at the next start, or at the next start after `tortie cleanup`. */
export type ChangeTime = 'live' | 'restart' | 'cleanup';

export interface Setting<T extends SettingValue = SettingValue> {
  /** Without the value, e.g. `--event-budget`. */
  readonly flag: string;
  readonly variable: string;
  readonly type: ValueType<T>;
  /** A function where it follows from settings above this one in the table. */
  readonly default: NoInfer<T> | ((above: ReadonlyMap<string, SettingValue>) => NoInfer<T>);
  readonly unit?: string;
  readonly meaning: string;
  readonly change: ChangeTime;
  /** As it is shown, where the value may hold secrets. */
  readonly show?: (value: T) => NoInfer<T>;
  readonly felix?: FelixSource<NoInfer<T>>;
}

export interface FelixSource<T extends SettingValue = SettingValue> {
  readonly field: UsedFelixField;
  /** Fields that say more of it, and nothing without it. */
  readonly others?: readonly UsedFelixField[];
  /** What the field's value, which its schema has checked, means for the setting; undefined = nothing, for the reason in `unless`. */
  readonly read: (value: unknown, spec: FelixConfigurationSpec) => T | undefined;
  readonly unless?: string;
  readonly meaning?: string;
}

/** Literal types of choices survive. */
export function setting<T extends SettingValue>(one: Setting<T>): Setting<T> {
  return one;
}
