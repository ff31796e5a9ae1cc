// A control group that limits memory, of either version of control groups. It is removed once nobody is in it any more.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../../src/bench/command.ts';

function parentGroup(): { readonly path: string; readonly limitFile: string } {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup' && options.split(',').includes('memory')) return { path, limitFile: 'memory.limit_in_bytes' };
    if (type === 'cgroup2' && existsSync(join(path, 'cgroup.controllers'))) {
      const controllers = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
      if (controllers.includes('memory')) return { path, limitFile: 'memory.max' };
    }
  }
  throw new Error('no control group here limits memory: mount the memory controller');
}

export class MemoryGroup {
  readonly #path: string;
  readonly #limitFile: string;

  /** Throws an ordinary Error where memory cannot be limited. */
  constructor(name: string) {
    const { path, limitFile } = parentGroup();
    this.#path = join(path, name);
    this.#limitFile = join(this.#path, limitFile);
    mkdirSync(this.#path);
  }

  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid));
  }

  limit(bytes: number): void {
    writeFileSync(this.#limitFile, String(bytes));
  }

  /** Has so many bytes of a file in memory count as the group's until the file is removed. Throws KERNEL. */
  async fill(path: string, bytes: number): Promise<void> {
    const script = 'echo $$ > "$1" && exec head -c "$2" /dev/zero > "$3"';
    await runCommand(['sh', '-c', script, 'sh', join(this.#path, 'cgroup.procs'), String(bytes), path]);
  }

  /** How often it wanted more than the limit. */
  get hits(): number {
    const file = this.#limitFile.endsWith('memory.max') ? 'memory.events' : 'memory.failcnt';
    const text = readFileSync(join(this.#path, file), 'utf8');
    return Number(/^(?:max )?(\d+)$/m.exec(text)?.[1] ?? 0);
  }

  close(): void {
    rmdirSync(this.#path);
  }
}
