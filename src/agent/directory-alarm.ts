// Rings once when anything at all happens in some directories. What happened is for others to find out.
import { type FSWatcher, watch } from 'node:fs';

export class DirectoryAlarm implements Disposable {
  readonly #watchers: FSWatcher[] = [];
  #hasRung = false;

  /** Throws the error of node:fs when one of them cannot be watched. */
  constructor(paths: readonly string[]) {
    try {
      for (const path of paths) this.#watchers.push(watch(path, () => this.#ring()).on('error', () => this.#ring()));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get hasRung(): boolean {
    return this.#hasRung;
  }

  close(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ring(): void {
    this.#hasRung = true;
    this.close();
  }
}
