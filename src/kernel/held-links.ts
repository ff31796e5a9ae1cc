// TCX links, held open and pinned under the name of their interface: for as long as this process runs, a pin that somebody
// removes takes no program with it. Where programs belong is attachment.ts.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDirectory } from './make-directory.ts';
import type { AttachDirection, BpfLink } from './native.ts';
import { loadNative } from './native.ts';
import { errnoName } from './native-error.ts';
import { interfaceOfLink, namesIn, type Pins, placeOfSuccessor, successorOf } from './pins.ts';
import type { Repair } from './repair.ts';

export const DIRECTIONS: readonly AttachDirection[] = ['ingress', 'egress'];

export class HeldLinks {
  readonly #pins: Pins;
  /** By file name of the pin. */
  readonly #links = new Map<string, BpfLink>();
  readonly #suspects = new Set<string>();

  /** Finishes what an agent before, which was killed, has begun. */
  constructor(pins: Pins) {
    this.#pins = pins;
    for (const name of namesIn(pins.linkDirectory)) {
      const path = join(pins.linkDirectory, name);
      const place = placeOfSuccessor(path);
      if (place !== undefined) renameSync(path, place);
    }
  }

  /** The link that belongs there: held already, or pinned by an agent before. Throws PERMISSION or KERNEL. */
  find(name: string, direction: AttachDirection): BpfLink | undefined {
    const pin = this.#pins.link(name, direction);
    const held = this.#links.get(basename(pin));
    if (held !== undefined || !existsSync(pin)) return held;
    const pinned = openLink(pin);
    if (pinned === undefined) rmSync(pin, { force: true });
    else this.#links.set(basename(pin), pinned);
    return pinned;
  }

  /**
   * Pins a new link and holds it. One that was there goes once the new one has its place: whenever this process ends, one of
   * the two is pinned.
   */
  keep(name: string, direction: AttachDirection, link: BpfLink): void {
    const pin = this.#pins.link(name, direction);
    const before = this.find(name, direction);
    this.#links.set(basename(pin), link);
    this.#suspects.add(basename(pin));
    try {
      pinOver(pin, link);
      this.#suspects.delete(basename(pin));
      if (before !== undefined && before.info.ifindex !== 0) before.detach();
    } finally {
      before?.close();
    }
  }

  /** Lets go of the link and removes its pin: if nobody else has it, its program is off the interface. */
  release(name: string, direction: AttachDirection): void {
    const pin = this.#pins.link(name, direction);
    this.#links.get(basename(pin))?.close();
    this.#links.delete(basename(pin));
    rmSync(pin, { force: true });
  }

  /** Has both go by another name. */
  rename(from: string, to: string): void {
    for (const direction of DIRECTIONS) {
      const [before, after] = [this.#pins.link(from, direction), this.#pins.link(to, direction)];
      const link = this.#links.get(basename(before));
      if (link !== undefined) this.#links.set(basename(after), link);
      this.#links.delete(basename(before));
      if (existsSync(before)) renameSync(before, after);
    }
  }

  /** A pin that something happened to: it is not enough that it is there. */
  suspect(fileName: string): void {
    this.#suspects.add(fileName);
  }

  /** Makes sure that the pin leads to the link. Returns what was wrong with it. */
  ensurePin(name: string, direction: AttachDirection): Repair | undefined {
    const pin = this.#pins.link(name, direction);
    const link = this.#links.get(basename(pin));
    const isSuspect = this.#suspects.delete(basename(pin));
    if (link === undefined) return undefined;
    if (!existsSync(pin)) {
      pinTo(pin, link);
      return { cause: 'pin-missing', target: pin, found: 'nothing' };
    }
    if (!isSuspect || leadsTo(pin, link)) return undefined;
    pinOver(pin, link);
    return { cause: 'pin-replaced', target: pin, found: 'another object' };
  }

  /** Interfaces that have a link, held or pinned. */
  interfaces(): string[] {
    const files = [...namesIn(this.#pins.linkDirectory), ...this.#links.keys()];
    return [...new Set(files.flatMap((file) => interfaceOfLink(file) ?? []))];
  }

  /** Pins stay, and with them the programs. */
  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}

/** undefined = the pin is gone, or of another kind of object. */
function openLink(pin: string): BpfLink | undefined {
  try {
    return loadNative().BpfLink.openPinned(pin);
  } catch (error) {
    const errno = errnoName(error);
    if (errno === 'ENOENT' || errno === 'EINVAL') return undefined;
    throw error;
  }
}

function leadsTo(pin: string, link: BpfLink): boolean {
  const found = openLink(pin);
  const isSame = found?.info.id === link.info.id;
  found?.close();
  return isSame;
}

/** In the place of whatever is pinned there, without a moment in between. */
function pinOver(pin: string, link: BpfLink): void {
  const place = existsSync(pin) ? successorOf(pin) : pin;
  rmSync(place, { force: true });
  pinTo(place, link);
  if (place !== pin) renameSync(place, pin);
}

/** The directory may be gone together with the pin. */
function pinTo(pin: string, link: BpfLink): void {
  makeDirectory(dirname(pin));
  link.pin(pin);
}
