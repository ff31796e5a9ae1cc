// The flags of `tortie agent`, made from the table of settings, and what a command line says with them.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_CONFIG_FILE } from '../agent/config/config-file.ts';
import type { ConfigSources } from '../agent/config/configuration.ts';
import { CONFIG_VARIABLE } from '../agent/config/environment.ts';
import type { GivenValue, Layer } from '../agent/config/layer.ts';
import type { Setting } from '../agent/config/setting.ts';
import { LIMIT_FLAG, LIMITS_KEY, SETTINGS } from '../agent/config/settings.ts';
import { limitsByName, parseLimits } from '../agent/limits.ts';

/** Adds --config, one flag for each setting, and --limit. */
export function addAgentFlags(command: Command): Command {
  command.option('--config <path>', `configuration file (default: "${DEFAULT_CONFIG_FILE}", env: ${CONFIG_VARIABLE})`);
  for (const [, setting] of settings()) command.addOption(optionOf(setting));
  return command.option(
    `${LIMIT_FLAG} <name=n...>`,
    'how much of something policy may cost before it is refused; see docs/limits.md',
  );
}

/** What the command line and the environment say, and where the file is. Throws USAGE for an unknown limit. */
export function configSources(given: Readonly<Record<string, unknown>>): ConfigSources {
  const named = given.config ?? process.env[CONFIG_VARIABLE];
  return {
    flags: new Map([...flagValues(given), ...limitValues(given.limit)]),
    environment: process.env,
    file: { path: typeof named === 'string' ? named : DEFAULT_CONFIG_FILE, isRequired: named !== undefined },
  };
}

function settings(): readonly (readonly [string, Setting])[] {
  return Object.entries(SETTINGS) as unknown as readonly (readonly [string, Setting])[];
}

/** Without a default of its own: whether a flag was given is what counts. */
function optionOf({ flag, type, meaning, default: value, variable }: Setting): Option {
  const known = typeof value === 'function' ? '' : `default: ${JSON.stringify(value)}, `;
  const option = new Option(`${flag} <${type.placeholder}>`, `${meaning} (${known}env: ${variable})`);
  if (type.choices !== undefined) return option.choices([...type.choices]);
  return option.argParser((text) => {
    const parsed = type.parse(text);
    if (parsed === undefined) throw new InvalidArgumentError(`expected ${type.expected}`);
    return parsed;
  });
}

function flagValues(given: Readonly<Record<string, unknown>>): Layer {
  const values = new Map<string, GivenValue>();
  for (const [name, setting] of settings()) {
    const value = given[optionOf(setting).attributeName()];
    if (value !== undefined) values.set(name, { value: value as GivenValue['value'], origin: setting.flag });
  }
  return values;
}

function limitValues(given: unknown): Layer {
  if (!Array.isArray(given)) return new Map();
  const limits = limitsByName(parseLimits(given as string[]));
  const names = (given as string[]).map((text) => text.split('=', 1)[0] as string);
  return new Map(
    names.map((name) => [
      `${LIMITS_KEY}.${name}`,
      { value: limits.get(name) as number, origin: `${LIMIT_FLAG} ${name}` },
    ]),
  );
}
