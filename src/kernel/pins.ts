// Where programs, maps and links are pinned. The layout version is part of every path, so that two versions never
// share a map.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Layout } from '../abi/common.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import { loadNative, translateErrors } from './native.ts';

export const DEFAULT_BPFFS = '/sys/fs/bpf';

/** Paths under `<bpffs>/tortie[-<instance>]/v<layout>/`. */
export class Pins {
  readonly root: string;

  /** root is the directory that `tortie cleanup` removes. */
  constructor(root: string) {
    this.root = root;
  }

  get directory(): string {
    return join(this.root, `v${Layout.VERSION}`);
  }

  map(name: string): string {
    return join(this.directory, 'maps', name);
  }

  get linkDirectory(): string {
    return join(this.directory, 'links');
  }

  /** One pin for each interface and direction; the interface's name says which. */
  link(interfaceName: string, direction: string): string {
    return join(this.linkDirectory, `${interfaceName}-${direction}`);
  }

  /** Creates the directories, mounting bpffs first where there is none. Owner-only. */
  create(bpffs: string): void {
    if (!isBpffs(bpffs)) {
      mkdirSync(bpffs, { recursive: true, mode: 0o700 });
      translateErrors('mount bpffs', bpffs, () => loadNative().mountBpffs(bpffs));
    }
    for (const directory of [join(this.directory, 'maps'), this.linkDirectory]) {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
      } catch (cause) {
        throw new DataplaneError('PERMISSION', 'cannot create pin directory', {
          operation: 'create pins',
          target: directory,
          hint: 'run as root, or with CAP_BPF and write access to bpffs',
          cause,
        });
      }
    }
  }
}

function isBpffs(path: string): boolean {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .some((line) => {
      const [, mountPoint, type] = line.split(' ');
      return mountPoint === path && type === 'bpf';
    });
}
