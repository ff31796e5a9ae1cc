// What the database's errors mean, told by their text: it gives them no codes.
import { DataplaneError } from '../../base/errors.ts';

export type FailureKind = 'full' | 'corrupt' | 'memory' | 'interrupted' | 'other';

/** The first that matches. What stands behind a full disk may look like any other error of writing. */
const SIGNS: readonly (readonly [FailureKind, RegExp])[] = [
  ['interrupted', /^INTERRUPT|Interrupted!/i],
  ['memory', /Out of Memory|max_temp_directory_size|could not allocate/i],
  ['full', /No space left|disk (?:is )?full|disk quota|ENOSPC|EFBIG|File too large/i],
  [
    'corrupt',
    /corrupt|checksum|not a valid DuckDB|Could not read enough bytes|magic bytes|serializ|replay|version number|storage version|does not exist|Binder Error|Catalog Error|INTERNAL Error|attempted to (?:read|access)/i,
  ],
];

export function failureKind(error: unknown): FailureKind {
  if (error instanceof DataplaneError) return 'other';
  const text = error instanceof Error ? error.message : String(error);
  return SIGNS.find(([, sign]) => sign.test(text))?.[0] ?? 'other';
}

/** For whoever has asked. */
export function questionFailed(error: unknown, directory: string, timeoutMs: number): DataplaneError {
  if (error instanceof DataplaneError) return error;
  const details = { operation: 'ask', target: 'stored flows', cause: error };
  const hint = 'ask for less time, or for fewer flows by a filter';
  switch (failureKind(error)) {
    case 'interrupted':
      return new DataplaneError('QUERY_TOO_COSTLY', `took longer than ${timeoutMs} ms`, { ...details, hint });
    case 'memory':
      return new DataplaneError('QUERY_TOO_COSTLY', 'takes more memory than a question may', { ...details, hint });
    default:
      return new DataplaneError('STORE_FAILED', firstLine(error), { ...details, target: directory });
  }
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] as string;
}
