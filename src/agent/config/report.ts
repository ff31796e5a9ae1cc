// What `tortie config` shows: the shape that the agent's socket answers with.

import type { IgnoredField } from './felix.ts';
import type { ResolvedSettings, SourceName } from './layer.ts';
import type { ChangeTime } from './setting.ts';
import { ALL_SETTINGS } from './settings.ts';
import type { SettingValue } from './value-type.ts';

export interface SourcedValue {
  readonly value: SettingValue;
  readonly source: SourceName;
  /** Where exactly; empty for a default. */
  readonly origin: string;
}

export interface SettingReport extends SourcedValue {
  readonly name: string;
  readonly unit?: string;
  readonly change: ChangeTime;
  /** Said by sources that count less, in their order. */
  readonly hidden: readonly SourcedValue[];
  /** What the sources say now, where it waits for the next start. */
  readonly pending?: SourcedValue;
}

/** The part of it that `tortie status` shows. */
export interface ConfigStatus {
  /** Why the file as it is now is not used; what it said before is. */
  readonly errors: readonly { readonly code: string; readonly message: string }[];
  /** Names of settings that wait for the next start. */
  readonly pending: readonly string[];
}

export interface ConfigReport extends Pick<ConfigStatus, 'errors'> {
  readonly file: string;
  /** The file is there and what it says is in force, or waits for a restart. */
  readonly isFileUsed: boolean;
  readonly settings: readonly SettingReport[];
  readonly ignored: readonly IgnoredField[];
}

/** running = what is in force, wanted = what the sources say. */
export function describeSettings(running: ResolvedSettings, wanted: ResolvedSettings): SettingReport[] {
  return [...running].map(([name, { value, source, origin, hidden }]) => {
    const setting = ALL_SETTINGS.get(name);
    const next = wanted.get(name);
    const { unit, change = 'restart' } = setting ?? {};
    const show = (value: SettingValue): SettingValue => showValue(name, value);
    const pending =
      next === undefined || next.value === value
        ? undefined
        : { value: show(next.value), source: next.source, origin: next.origin };
    const others = hidden.map((one) => ({ value: show(one.value), source: one.source, origin: one.origin }));
    return { name, value: show(value), unit, source, origin, change, hidden: others, pending };
  });
}

/** Without what may be secret in it. */
export function showValue(name: string, value: SettingValue): SettingValue {
  const show: ((value: never) => SettingValue) | undefined = ALL_SETTINGS.get(name)?.show;
  return show === undefined ? value : show(value as never);
}
