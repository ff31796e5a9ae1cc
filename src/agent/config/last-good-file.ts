// The configuration file as an agent last could use it: what the next one starts with should the file be broken by then. A
// machine that starts with a typing error in it must not come up without policy.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const FILE = 'config.json';
const stored = z.object({ file: z.string(), text: z.string() });

/** The text that was last good of this file; undefined = none is known. */
export function recallConfigFile(stateDirectory: string, file: string): string | undefined {
  try {
    const found = stored.safeParse(JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')));
    return found.success && found.data.file === resolve(file) ? found.data.text : undefined;
  } catch {
    return undefined;
  }
}

/** Throws the error of node:fs. */
export function rememberConfigFile(stateDirectory: string, file: string, text: string): void {
  if (recallConfigFile(stateDirectory, file) === text) return;
  const path = join(stateDirectory, FILE);
  writeFileSync(`${path}.new`, JSON.stringify({ file: resolve(file), text }), { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
