// Which interfaces have clsact filters of this pin root's agents: a filter itself does not say whose it is. Kept as empty
// directories in bpffs, which go with the machine's interfaces when it restarts, and which agents of every version read.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './make-directory.ts';
import { loadNative } from './native.ts';
import { filteredInterfaces, type Pins } from './pins.ts';

/** Marks of interfaces that are gone do no harm: they are looked for when there are twice as many marks as before. */
const FIRST_SWEEP = 64;

export class FilterMarks {
  readonly #directory: string;
  readonly #marked: Set<number>;
  #sweepAt: number;

  constructor(pins: Pins) {
    this.#directory = pins.filterDirectory;
    this.#marked = new Set(filteredInterfaces(pins.root));
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#marked.size);
  }

  /** Interface numbers, some of them of interfaces that are gone. */
  get interfaces(): readonly number[] {
    return [...this.#marked];
  }

  has(ifindex: number): boolean {
    return this.#marked.has(ifindex);
  }

  /** To be called before there is a filter. */
  add(ifindex: number): void {
    if (this.#marked.has(ifindex)) return;
    makeDirectory(join(this.#directory, String(ifindex)));
    this.#marked.add(ifindex);
    if (this.#marked.size >= this.#sweepAt) this.#sweep();
  }

  /** To be called when there is none any more. */
  delete(ifindex: number): void {
    if (!this.#marked.delete(ifindex)) return;
    rmSync(join(this.#directory, String(ifindex)), { recursive: true, force: true });
  }

  #sweep(): void {
    const present = new Set(
      loadNative()
        .linkList()
        .map(({ ifindex }) => ifindex),
    );
    for (const ifindex of this.interfaces) if (!present.has(ifindex)) this.delete(ifindex);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#marked.size);
  }
}
