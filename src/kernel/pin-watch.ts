// Tells at once when somebody removes or renames a pin: bpffs, like every file system, reports that through inotify. Making
// a pin is not reported. What a pin should be is not known here.
import { type FSWatcher, statSync, watch } from 'node:fs';

interface Watched {
  readonly watcher: FSWatcher;
  /** Of the directory: another one may stand in its place, with the same number. */
  readonly identity: string;
}

export class PinWatch {
  readonly #directories: readonly string[];
  readonly #onChange: (fileName: string) => void;
  readonly #watched = new Map<string, Watched>();

  constructor(directories: readonly string[], onChange: (fileName: string) => void) {
    this.#directories = directories;
    this.#onChange = onChange;
    this.renew();
  }

  /** Watches directories that were made anew. One that cannot be watched is left to whoever looks at pins now and then. */
  renew(): void {
    for (const directory of this.#directories) {
      const found = statSync(directory, { throwIfNoEntry: false });
      const identity = found && `${found.dev} ${found.ino} ${found.birthtimeMs}`;
      const watched = this.#watched.get(directory);
      if (watched !== undefined && watched.identity === identity) continue;
      this.#stop(directory);
      if (identity !== undefined) this.#start(directory, identity);
    }
  }

  close(): void {
    for (const directory of this.#directories) this.#stop(directory);
  }

  #start(directory: string, identity: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_, fileName) => this.#onChange(fileName ?? ''));
      watcher.on('error', () => this.#stop(directory));
      this.#watched.set(directory, { watcher, identity });
    } catch {
      // Out of inotify watches or descriptors.
    }
  }

  #stop(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }
}
