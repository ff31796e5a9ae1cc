// One shape for every limit that is reached: what was found, how much is taken, which setting takes more.
import { DataplaneError } from './errors.ts';

export interface LimitDetails {
  readonly operation: string;
  readonly target: string;
  /** With its unit, e.g. `250001 rules`. */
  readonly found: string;
  readonly limit: number;
  /** Name for `--limit <name>=<number>`. */
  readonly setting: string;
  readonly file?: string;
}

/** LIMIT_EXCEEDED; `what` says of what there is too much. */
export function limitExceeded(what: string, details: LimitDetails): DataplaneError {
  const { operation, target, found, limit, setting, file } = details;
  return new DataplaneError('LIMIT_EXCEEDED', what, {
    operation,
    target,
    found,
    expected: `at most ${limit}`,
    hint: `if that many are meant, raise the limit with --limit ${setting}=<number>`,
    file,
  });
}
