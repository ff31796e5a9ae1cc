// The newest entry of packaging/debian/changelog: the version that is packed, and the time that every file of a package has.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NewestEntry {
  readonly version: string;
  /** SOURCE_DATE_EPOCH where that is set. */
  readonly timeSeconds: number;
}

/** Throws for a changelog that is none. */
export function changelogOf(project: string): NewestEntry {
  const path = join(project, 'packaging/debian/changelog');
  const text = readFileSync(path, 'utf8');
  const version = /^tortie \(([^)]+)\) /.exec(text)?.[1];
  const date = /^ -- .+ <.+> {2}(.+)$/m.exec(text)?.[1] ?? '';
  const given = process.env.SOURCE_DATE_EPOCH ?? '';
  const timeSeconds = /^\d+$/.test(given) ? Number(given) : Date.parse(date) / 1000;
  if (version === undefined || Number.isNaN(timeSeconds)) throw new Error(`${path}: no version or no date`);
  return { version, timeSeconds };
}
