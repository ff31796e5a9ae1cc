// Says when the configuration file may have changed: by inotify on its directory, because editors replace files, and by a look
// every few seconds, because inotify sees nothing on some mounts.
import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

const QUIET_MS = 100;
const LOOK_MS = 5000;

export class ConfigWatch implements Disposable {
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #look: NodeJS.Timeout;
  #watchers: readonly FSWatcher[] = [];
  #directories: readonly string[] = [];
  #stamp: string;
  #quiet: NodeJS.Timeout | undefined;

  /** Calls back after the file, or what a link leads to, has come to rest as another one. */
  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
    this.#stamp = stampOf(path);
    this.#watch();
    this.#look = setInterval(() => this.#check(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#look);
    clearTimeout(this.#quiet);
    this.#unwatch();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    const stamp = stampOf(this.#path);
    this.#watch();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#onChange();
  }

  /** The directory of the file and, where it is a link, that of what it leads to. */
  #watch(): void {
    const directories = [...new Set([dirname(this.#path), dirname(realPath(this.#path))])];
    if (this.#watchers.length > 0 && directories.join('\0') === this.#directories.join('\0')) return;
    this.#unwatch();
    this.#directories = directories;
    this.#watchers = directories.flatMap((directory) => this.#watchOne(directory) ?? []);
  }

  #watchOne(directory: string): FSWatcher | undefined {
    try {
      return watch(directory, () => this.#wait()).on('error', () => this.#unwatch());
    } catch {
      return undefined;
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #wait(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#check(), QUIET_MS);
  }
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
