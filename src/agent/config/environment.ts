// Settings in the environment: TORTIE_<NAME>. A variable that is none of them but looks like a misspelled one is an error; others
// that begin alike may be somebody else's.
import { DataplaneError } from '../../base/errors.ts';
import { nearestName } from '../../resources/nearest.ts';
import { quoteValue } from '../../resources/report.ts';
import type { GivenValue, Layer } from './layer.ts';
import { ALL_SETTINGS } from './settings.ts';

/** Where the configuration file is: not a setting, because no file can say so. */
export const CONFIG_VARIABLE = 'TORTIE_CONFIG';
const PREFIX = 'TORTIE_';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface LayerReading {
  readonly layer: Layer;
  readonly errors: readonly DataplaneError[];
}

/** What the variables say. */
export function readEnvironment(environment: Environment): LayerReading {
  const layer = new Map<string, GivenValue>();
  const errors: DataplaneError[] = [];
  const known = new Set<string>([CONFIG_VARIABLE]);
  for (const [name, { variable, type }] of ALL_SETTINGS) {
    known.add(variable);
    const written = environment[variable];
    if (written === undefined) continue;
    const value = type.parse(written);
    if (value !== undefined) layer.set(name, { value, origin: variable });
    else errors.push(refusal('INVALID_FIELD', 'invalid value', variable, quoteValue(written), type.expected));
  }
  const tails = [...known].map((name) => name.slice(PREFIX.length));
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(PREFIX) || known.has(variable)) continue;
    const nearest = nearestName(variable.slice(PREFIX.length), tails);
    if (nearest === undefined) continue;
    errors.push(
      refusal('UNKNOWN_FIELD', 'no such setting', variable, undefined, undefined, `did you mean ${PREFIX}${nearest}?`),
    );
  }
  return { layer, errors };
}

function refusal(
  code: 'INVALID_FIELD' | 'UNKNOWN_FIELD',
  what: string,
  field: string,
  found?: string,
  expected?: string,
  hint?: string,
): DataplaneError {
  return new DataplaneError(code, what, { operation: 'read', target: 'environment', field, found, expected, hint });
}
