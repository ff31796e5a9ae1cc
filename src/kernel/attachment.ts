// The two programs on each workload interface: TCX links pinned by name where the kernel has TCX (6.6), clsact filters
// below. Attached before an interface carries traffic, they drop everything until its endpoint is written.
import {
  describeFilter,
  detachFilters,
  ensureFilter,
  isOurFilter,
  ownFilters,
  requirePriority,
} from './clsact-hook.ts';
import { FilterMarks } from './filter-marks.ts';
import { DIRECTIONS, HeldLinks } from './held-links.ts';
import type { AttachDirection, BpfLink, BpfProgram } from './native.ts';
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

export interface AttachTarget {
  readonly name: string;
  readonly ifindex: number;
}

export class Attachments {
  readonly #programs: WorkloadPrograms;
  /** Of the programs, as the kernel numbers them. */
  readonly #ids: Readonly<Record<AttachDirection, number>>;
  readonly #mode: AttachMode;
  readonly #standIns: WorkloadPrograms;
  /** Interface numbers where nothing is left that was attached in the other mode. */
  readonly #settled = new Set<number>();
  readonly links: HeldLinks;
  readonly marks: FilterMarks;
  /** Programs of an agent before stay where they are: ours would drop what those let pass. */
  leavesOthers = false;

  /** The stand-ins are other programs that judge as ours do: they are in a place of ours while ours goes to another one. */
  constructor(programs: WorkloadPrograms, mode: AttachMode, pins: Pins, standIns: WorkloadPrograms) {
    this.#programs = programs;
    this.#ids = { ingress: programs.ingress.info.id, egress: programs.egress.info.id };
    this.#mode = mode;
    this.#standIns = standIns;
    this.links = new HeldLinks(pins);
    this.marks = new FilterMarks(pins);
  }

  /**
   * Makes sure that both programs, and of this version, are on the interface, in front of all others, and pinned. Returns
   * what was not so. Throws INTERFACE_MISSING, HOOK_TAKEN, PERMISSION or KERNEL.
   */
  ensure(target: AttachTarget): Repair[] {
    const repairs = DIRECTIONS.flatMap((direction) =>
      translateErrors(`attach ${this.#mode} ${direction}`, target.name, () => this.#ensureOne(target, direction)),
    );
    if (!this.leavesOthers && !this.#settled.has(target.ifindex)) this.#settle(target);
    return repairs;
  }

  /** Whether what was put on the interface of that name is on interface number `ifindex`, whatever that is called now. */
  isOn(name: string, ifindex: number): boolean {
    return DIRECTIONS.some((direction) => {
      if (this.#mode === 'clsact') return ownFilters(ifindex, direction).length > 0;
      const info = this.links.find(name, direction)?.info;
      if (info?.ifindex !== ifindex) return false;
      try {
        return loadNative().tcxQuery(ifindex, direction).includes(info.programId);
      } catch (error) {
        if (errnoName(error) === 'ENODEV') return false;
        throw error;
      }
    });
  }

  /** Number of the interface that the links of that name are attached to, in its own namespace; 0 = to none any more. */
  attachedTo(name: string): number {
    const found = DIRECTIONS.map((direction) => this.links.find(name, direction)?.info.ifindex ?? 0);
    return Math.max(...found);
  }

  /** Takes our programs off the interface. */
  detach({ name, ifindex }: AttachTarget): void {
    this.#detachLinks(name);
    this.#detachFilters(ifindex);
  }

  /** Interfaces that have a link, whether they still exist or not. */
  linkedInterfaces(): string[] {
    return this.links.interfaces();
  }

  /** The interface has another name now. */
  rename(from: string, to: string): void {
    this.links.rename(from, to);
  }

  /** Something happened to this pin, by its file name. */
  suspect(fileName: string): void {
    this.links.suspect(fileName);
  }

  /** Lets go of links whose interface is gone. */
  forget(interfaceName: string): void {
    for (const direction of DIRECTIONS) this.links.release(interfaceName, direction);
  }

  /** Programs stay where they are. */
  close(): void {
    this.links.close();
  }

  #ensureOne(target: AttachTarget, direction: AttachDirection): Repair[] {
    if (this.leavesOthers && this.#hasOthers(target, direction)) return this.#ensurePin(target.name, direction);
    return this.#mode === 'tcx' ? this.#ensureTcx(target, direction) : this.#ensureFilter(target, direction);
  }

  /** In whichever way an agent before has attached them. */
  #hasOthers({ name, ifindex }: AttachTarget, direction: AttachDirection): boolean {
    const link = this.links.find(name, direction)?.info;
    if (link?.ifindex === ifindex && link.programId !== this.#ids[direction]) return true;
    return ownFilters(ifindex, direction).some(({ programId }) => programId !== this.#ids[direction]);
  }

  #ensurePin(name: string, direction: AttachDirection): Repair[] {
    return [this.links.ensurePin(name, direction) ?? []].flat();
  }

  #ensureTcx({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const ours = this.#ids[direction];
    const ids = loadNative().tcxQuery(ifindex, direction);
    if (ids[0] === ours) return this.#ensurePin(name, direction);
    const link = this.links.find(name, direction);
    const held = link?.info.programId;
    const repair = describeHook(name, direction, ids, ours, held);
    if (link === undefined || link.info.ifindex !== ifindex) this.#attachFirst(name, ifindex, direction);
    else if (ids[0] === held) link.update(this.#programs[direction]);
    else this.#goToFront(name, link, direction);
    return [repair, ...this.#ensurePin(name, direction)];
  }

  #attachFirst(name: string, ifindex: number, direction: AttachDirection): void {
    this.links.keep(name, direction, loadNative().BpfLink.attachTcx(this.#programs[direction], ifindex, direction));
  }

  /**
   * A link stays where it is, and no program can be on a hook twice: another link comes in front, and until it is there a
   * stand-in judges in the old place. Ours let no packet go on to the next program: of the two that there are for a moment,
   * the first one judges alone.
   */
  #goToFront(name: string, link: BpfLink, direction: AttachDirection): void {
    const { ifindex, programId } = link.info;
    if (programId === this.#ids[direction]) link.update(this.#standIns[direction]);
    this.#attachFirst(name, ifindex, direction);
  }

  #ensureFilter({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const filters = loadNative().clsactFilters(ifindex, direction);
    const ours = this.#ids[direction];
    const held = filters.find(isOurFilter)?.programId;
    const [first] = filters;
    const ids = filters.map(({ programId }) => programId);
    const repair = describeHook(name, direction, ids, ours, held);
    if (held !== ours || first === undefined || !isOurFilter(first)) requirePriority(name, direction, filters);
    this.marks.add(ifindex);
    if (!ensureFilter(this.#programs[direction], ours, ifindex, direction, filters)) return [];
    return [first === undefined ? repair : { ...repair, found: `${describeFilter(first)}, first at ${direction}` }];
  }

  /** Ours judge in the one way: what was attached in the other, when the mode was another one, goes. */
  #settle({ name, ifindex }: AttachTarget): void {
    if (this.#mode === 'clsact') this.#detachLinks(name);
    else if (this.marks.has(ifindex)) this.#detachFilters(ifindex);
    this.#settled.add(ifindex);
  }

  #detachLinks(name: string): void {
    for (const direction of DIRECTIONS) {
      const link = this.links.find(name, direction);
      if (link === undefined) continue;
      if (link.info.ifindex !== 0) link.detach();
      this.links.release(name, direction);
    }
  }

  #detachFilters(ifindex: number): void {
    detachFilters(ifindex);
    this.marks.delete(ifindex);
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

/** The newest that this kernel has. */
export function bestAttachMode(): AttachMode {
  return loadNative().probeFeatures().tcx ? 'tcx' : 'clsact';
}
