// Whether policy of the host has untracked lists that the guard can ask, and where: follows the tables in the kernel, which come
// with the first such policy and go with the last.
import { type GuardMaps, GuardPolicy } from '../../kernel/guard-policy.ts';
import { loadNative } from '../../kernel/native.ts';
import type { Pins } from '../../kernel/pins.ts';
import { isPlain } from './frame-care.ts';

export class HostLists {
  readonly #pins: Pins;
  #policy: GuardPolicy | undefined;

  constructor(pins: Pins) {
    this.#pins = pins;
  }

  /** What the guard's object is loaded with; undefined = there are no tables. */
  get guardMaps(): GuardMaps | undefined {
    return this.#policy?.guardMaps;
  }

  /** Whether other tables are there than at the last look, or none any more. Throws PERMISSION and KERNEL. */
  look(): boolean {
    const id = GuardPolicy.idAt(this.#pins);
    if (id === this.#policy?.id) return false;
    this.#policy?.close();
    this.#policy = GuardPolicy.open(this.#pins);
    return true;
  }

  hasUntracked(ifindex: number): boolean {
    return this.#policy?.hasUntracked(ifindex) ?? false;
  }

  /** Numbers of the interfaces that the guard could ask a list on, by the policy in force. Throws KERNEL. */
  askable(): number[] {
    if (this.#policy === undefined) return [];
    const links = loadNative().linkList();
    return links
      .filter((link) => link.name !== 'lo' && this.hasUntracked(link.ifindex) && isPlain(link, links))
      .map(({ ifindex }) => ifindex);
  }

  close(): void {
    this.#policy?.close();
    this.#policy = undefined;
  }
}
