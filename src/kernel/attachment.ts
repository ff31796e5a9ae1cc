// The two programs on each workload interface: TCX links pinned by name where the kernel has TCX (6.6), clsact filters
// below. Attached before an interface carries traffic, they drop everything until its endpoint is written.
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachDirection, BpfProgram } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import type { Pins } from './pins.ts';

export type AttachMode = 'tcx' | 'clsact';

/** tc hooks are named from the host: what a workload sends comes in, what it receives goes out. */
export interface WorkloadPrograms {
  readonly ingress: BpfProgram;
  readonly egress: BpfProgram;
}

const DIRECTIONS: readonly AttachDirection[] = ['ingress', 'egress'];
/** Where our filter is among others of a clsact hook: first. */
const FILTER_HANDLE = 0x7474;
const FILTER_PRIORITY = 1;

export interface AttachTarget {
  readonly name: string;
  readonly ifindex: number;
}

export class Attachments {
  readonly #programs: WorkloadPrograms;
  /** Of the programs, as the kernel numbers them. */
  readonly #ids: Readonly<Record<AttachDirection, number>>;
  readonly #mode: AttachMode;
  readonly #pins: Pins;

  constructor(programs: WorkloadPrograms, mode: AttachMode, pins: Pins) {
    this.#programs = programs;
    this.#ids = { ingress: programs.ingress.info.id, egress: programs.egress.info.id };
    this.#mode = mode;
    this.#pins = pins;
  }

  /**
   * Makes sure that both programs, and of this version, are on the interface. Returns true when something was
   * missing or replaced. Throws INTERFACE_MISSING, PERMISSION or KERNEL.
   */
  ensure(target: AttachTarget): boolean {
    return DIRECTIONS.map((direction) =>
      translateErrors(`attach ${this.#mode} ${direction}`, target.name, () =>
        this.#mode === 'tcx' ? this.#ensureTcx(target, direction) : this.#ensureFilter(target, direction),
      ),
    ).includes(true);
  }

  /** Takes our programs off the interface. */
  detach({ name, ifindex }: AttachTarget): void {
    const { BpfLink } = loadNative();
    for (const direction of DIRECTIONS) {
      const pin = this.#pins.link(name, direction);
      if (!existsSync(pin)) continue;
      const link = BpfLink.openPinned(pin);
      if (link.info.ifindex !== 0) link.detach();
      link.close();
      unlinkSync(pin);
    }
    detachFilters(ifindex);
  }

  /** Names of interfaces that have a pinned link. */
  pinnedInterfaces(): string[] {
    const names = readdirSync(this.#pins.linkDirectory).map((name) => name.replace(/-(ingress|egress)$/, ''));
    return [...new Set(names)];
  }

  /** Removes pins of links whose interface is gone. */
  forget(interfaceName: string): void {
    for (const direction of DIRECTIONS) {
      const pin = join(this.#pins.linkDirectory, `${interfaceName}-${direction}`);
      if (existsSync(pin)) unlinkSync(pin);
    }
  }

  #ensureTcx({ name, ifindex }: AttachTarget, direction: AttachDirection): boolean {
    const { BpfLink } = loadNative();
    // A link whose pin is gone is gone with it: the program would not be there.
    if (isFirst(ifindex, direction, this.#ids[direction])) return false;
    const program = this.#programs[direction];
    const pin = this.#pins.link(name, direction);
    if (existsSync(pin)) {
      const link = BpfLink.openPinned(pin);
      try {
        if (link.info.ifindex === ifindex && isFirst(ifindex, direction, link.info.programId)) {
          link.update(program);
          return true;
        }
        if (link.info.ifindex !== 0) link.detach();
      } finally {
        link.close();
      }
      unlinkSync(pin);
    }
    const link = BpfLink.attachTcx(program, ifindex, direction);
    link.pin(pin);
    link.close();
    return true;
  }

  #ensureFilter({ ifindex }: AttachTarget, direction: AttachDirection): boolean {
    const { clsactAttach, clsactQuery } = loadNative();
    if (clsactQuery(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY) === this.#ids[direction]) return false;
    clsactAttach(this.#programs[direction], ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY);
    return true;
  }
}

/** A program in front of ours could let packets pass that ours never sees: TCX stops at the first that decides. */
function isFirst(ifindex: number, direction: AttachDirection, programId: number): boolean {
  return loadNative().tcxQuery(ifindex, direction)[0] === programId;
}

/** Removes our clsact filters from an interface; false when there were none. */
export function detachFilters(ifindex: number): boolean {
  const { clsactDetach, clsactQuery } = loadNative();
  const ours = DIRECTIONS.filter((direction) => clsactQuery(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY) !== 0);
  for (const direction of ours) clsactDetach(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY);
  return ours.length > 0;
}
