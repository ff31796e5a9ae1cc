// The last good text of every manifest file, in the state directory: what an agent that starts on a broken file keeps
// in force.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.ts';
import type { ManifestMemory } from '../resources/sources/manifest-set.ts';

interface Remembered {
  /** The directory that the path is relative to: another one's manifests are nobody's business. */
  readonly directory: string;
  readonly path: string;
  readonly text: string;
}

export class AcceptedManifests implements ManifestMemory {
  readonly #folder: string;
  readonly #directory: string;
  readonly #log: Logger;

  constructor(options: { readonly stateDirectory: string; readonly manifests: string }, log: Logger) {
    this.#log = log;
    this.#folder = join(options.stateDirectory, 'accepted');
    this.#directory = options.manifests;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  recall(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const name of readdirSync(this.#folder)) {
      const remembered = this.#read(join(this.#folder, name));
      if (remembered?.directory === this.#directory) texts.set(remembered.path, remembered.text);
    }
    return texts;
  }

  remember(path: string, text: string): void {
    const file = this.#fileOf(path);
    const remembered: Remembered = { directory: this.#directory, path, text };
    try {
      writeFileSync(`${file}.new`, JSON.stringify(remembered), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (error) {
      this.#log.warn('cannot remember a manifest for the next start', { path, error: String(error) });
    }
  }

  forget(path: string): void {
    try {
      rmSync(this.#fileOf(path), { force: true });
    } catch (error) {
      this.#log.warn('cannot forget a manifest that is gone', { path, error: String(error) });
    }
  }

  #fileOf(path: string): string {
    return join(this.#folder, `${createHash('sha256').update(`${this.#directory}\0${path}`).digest('hex')}.json`);
  }

  /** undefined for a file that an interrupted write left behind. */
  #read(file: string): Remembered | undefined {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Remembered;
    } catch {
      return undefined;
    }
  }
}
