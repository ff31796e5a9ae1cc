// The files of the store of flows: each a database of its own, numbered in the order in which they were begun, so that retention
// is to remove a file and a broken one takes no other with it.
import { chmodSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../kernel/make-directory.ts';
import type { DiskSpace } from '../../observe/flow-store/retention.ts';

const NAME = /^flows-(\d{6,12})\.duckdb$/;
const ASIDE = /^(?:corrupt|layout)-(.*)\.duckdb$/;
/** Files that were moved aside are for whoever looks into it, and must not fill the disk. */
const MAX_ASIDE = 2;

export class SegmentFiles {
  readonly directory: string;

  /** Makes the directory, for its owner alone. What questions of an earlier process have left in it goes. */
  constructor(directory: string) {
    this.directory = directory;
    makeDirectory(directory);
    chmodSync(directory, 0o700);
    rmSync(this.spill, { recursive: true, force: true });
    makeDirectory(this.spill);
  }

  /** Where questions put what does not fit into memory. */
  get spill(): string {
    return join(this.directory, 'spill');
  }

  /** Numbers of those that are there, the oldest first. */
  list(): number[] {
    const numbers = readdirSync(this.directory).flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    });
    return numbers.sort((a, b) => a - b);
  }

  path(number: number): string {
    return join(this.directory, `flows-${String(number).padStart(6, '0')}.duckdb`);
  }

  /** With what is still in its log. */
  bytes(number: number): number {
    return sizeOf(this.path(number)) + sizeOf(this.#log(number));
  }

  space(): DiskSpace {
    const { bavail, blocks, bsize } = statfsSync(this.directory);
    return { free: bavail * bsize, total: blocks * bsize };
  }

  hasLog(number: number): boolean {
    return sizeOf(this.#log(number)) > 0;
  }

  protect(number: number): void {
    for (const path of [this.path(number), this.#log(number)]) {
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) chmodSync(path, 0o600);
    }
  }

  remove(number: number): void {
    rmSync(this.path(number), { force: true });
    rmSync(this.#log(number), { force: true });
  }

  /** Under a name that says why; the oldest of those go. Returns the name. */
  moveAside(number: number, why: 'corrupt' | 'layout', now: Date): string {
    const stamp = now.toISOString().replaceAll(/[:.]/g, '-');
    const name = `${why}-${stamp}-flows-${String(number).padStart(6, '0')}.duckdb`;
    const to = join(this.directory, name);
    renameSync(this.path(number), to);
    if (statSync(this.#log(number), { throwIfNoEntry: false }) !== undefined)
      renameSync(this.#log(number), `${to}.wal`);
    const aside = readdirSync(this.directory)
      .filter((one) => ASIDE.test(one))
      .sort((one, other) => (stampOf(one) < stampOf(other) ? -1 : 1));
    for (const old of aside.slice(0, -MAX_ASIDE)) {
      rmSync(join(this.directory, old), { force: true });
      rmSync(join(this.directory, `${old}.wal`), { force: true });
    }
    return name;
  }

  #log(number: number): string {
    return `${this.path(number)}.wal`;
  }
}

function stampOf(name: string): string {
  return ASIDE.exec(name)?.[1] ?? '';
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
