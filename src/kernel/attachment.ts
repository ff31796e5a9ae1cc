// The two programs on each workload interface: TCX links pinned by name where the kernel has TCX (6.6), clsact filters
// below. Attached before an interface carries traffic, they drop everything until its endpoint is written.
import { DIRECTIONS, HeldLinks } from './held-links.ts';
import type { AttachDirection, BpfProgram } from './native.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';
import type { Pins } from './pins.ts';
import type { Repair, RepairCause } from './repair.ts';

export type AttachMode = 'tcx' | 'clsact';

/** tc hooks are named from the host: what a workload sends comes in, what it receives goes out. */
export interface WorkloadPrograms {
  readonly ingress: BpfProgram;
  readonly egress: BpfProgram;
}

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
  readonly #links: HeldLinks;

  constructor(programs: WorkloadPrograms, mode: AttachMode, pins: Pins) {
    this.#programs = programs;
    this.#ids = { ingress: programs.ingress.info.id, egress: programs.egress.info.id };
    this.#mode = mode;
    this.#links = new HeldLinks(pins);
  }

  /**
   * Makes sure that both programs, and of this version, are on the interface, in front of all others, and pinned. Returns
   * what was not so. Throws INTERFACE_MISSING, PERMISSION or KERNEL.
   */
  ensure(target: AttachTarget): Repair[] {
    return DIRECTIONS.flatMap((direction) =>
      translateErrors(`attach ${this.#mode} ${direction}`, target.name, () =>
        this.#mode === 'tcx' ? this.#ensureTcx(target, direction) : this.#ensureFilter(target, direction),
      ),
    );
  }

  /** Whether what was put on the interface of that name is on interface number `ifindex`, whatever that is called now. */
  isOn(name: string, ifindex: number): boolean {
    const { clsactQuery, tcxQuery } = loadNative();
    return DIRECTIONS.some((direction) => {
      if (this.#mode === 'clsact') {
        return clsactQuery(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY) === this.#ids[direction];
      }
      const info = this.#links.find(name, direction)?.info;
      if (info?.ifindex !== ifindex) return false;
      try {
        return tcxQuery(ifindex, direction).includes(info.programId);
      } catch (error) {
        if (errnoName(error) === 'ENODEV') return false;
        throw error;
      }
    });
  }

  /** Number of the interface that the links of that name are attached to, in its own namespace; 0 = to none any more. */
  attachedTo(name: string): number {
    const found = DIRECTIONS.map((direction) => this.#links.find(name, direction)?.info.ifindex ?? 0);
    return Math.max(...found);
  }

  /** Takes our programs off the interface. */
  detach({ name, ifindex }: AttachTarget): void {
    for (const direction of DIRECTIONS) this.#detachLink(name, direction);
    detachFilters(ifindex);
  }

  /** Interfaces that have a link, whether they still exist or not. */
  linkedInterfaces(): string[] {
    return this.#links.interfaces();
  }

  /** The interface has another name now. */
  rename(from: string, to: string): void {
    this.#links.rename(from, to);
  }

  /** Something happened to this pin, by its file name. */
  suspect(fileName: string): void {
    this.#links.suspect(fileName);
  }

  /** Lets go of links whose interface is gone. */
  forget(interfaceName: string): void {
    for (const direction of DIRECTIONS) this.#links.release(interfaceName, direction);
  }

  /** Programs stay where they are. */
  close(): void {
    this.#links.close();
  }

  #ensureTcx({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const { BpfLink, tcxQuery } = loadNative();
    const ids = tcxQuery(ifindex, direction);
    const link = this.#links.find(name, direction);
    if (ids[0] === this.#ids[direction]) return [this.#links.ensurePin(name, direction) ?? []].flat();
    const program = this.#programs[direction];
    const repair = describeHook(name, direction, ids, this.#ids[direction], link?.info.programId);
    if (link?.info.ifindex === ifindex && ids[0] === link.info.programId) {
      link.update(program);
      return [repair, this.#links.ensurePin(name, direction) ?? []].flat();
    }
    this.#detachLink(name, direction);
    this.#links.keep(name, direction, BpfLink.attachTcx(program, ifindex, direction));
    return [repair];
  }

  #detachLink(name: string, direction: AttachDirection): void {
    const link = this.#links.find(name, direction);
    if (link !== undefined && link.info.ifindex !== 0) link.detach();
    this.#links.release(name, direction);
  }

  #ensureFilter({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const { clsactAttach, clsactQuery } = loadNative();
    const found = clsactQuery(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY);
    if (found === this.#ids[direction]) return [];
    clsactAttach(this.#programs[direction], ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY);
    const ids = found === 0 ? [] : [found];
    return [describeHook(name, direction, ids, this.#ids[direction], found)];
  }
}

/** What was wrong with a hook whose first program is not ours. `held` = the program that our own place held. */
function describeHook(
  name: string,
  direction: AttachDirection,
  ids: readonly number[],
  ours: number,
  held: number | undefined,
): Repair {
  let cause: RepairCause = 'program-missing';
  if (ids.includes(ours)) cause = 'program-not-first';
  else if (held !== undefined && ids.includes(held)) cause = 'program-replaced';
  const found = ids.length === 0 ? `no program at ${direction}` : `program ${ids.join(', ')} at ${direction}`;
  return { cause, target: name, found };
}

/** Removes our clsact filters from an interface; false when there were none. */
export function detachFilters(ifindex: number): boolean {
  const { clsactDetach, clsactQuery } = loadNative();
  const ours = DIRECTIONS.filter((direction) => clsactQuery(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY) !== 0);
  for (const direction of ours) clsactDetach(ifindex, direction, FILTER_HANDLE, FILTER_PRIORITY);
  return ours.length > 0;
}
