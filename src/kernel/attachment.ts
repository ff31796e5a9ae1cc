// The two programs on each workload interface: TCX links pinned by name where the kernel has TCX (6.6), clsact filters
// below. Attached before an interface carries traffic, they drop everything until its endpoint is written.
import { DataplaneError } from '../base/errors.ts';
import { DIRECTIONS, HeldLinks } from './held-links.ts';
import type { AttachDirection, BpfProgram, ClsactFilter } from './native.ts';
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

/** Where our filter is among others of a clsact hook: first. No priority comes before, and of one priority the newest is first. */
const FILTER_HANDLE = 0x7474;
export const FILTER_PRIORITY = 1;
/** Of a second filter of ours, for the moment in which the other one goes to the front. */
const SPARE_HANDLE = 0x7475;
/** if_ether.h: what a filter sees that sees every packet. */
const ETH_P_ALL = 3;

export interface AttachTarget {
  readonly name: string;
  readonly ifindex: number;
}

export class Attachments {
  readonly #programs: WorkloadPrograms;
  /** Of the programs, as the kernel numbers them. */
  readonly #ids: Readonly<Record<AttachDirection, number>>;
  readonly #mode: AttachMode;
  readonly links: HeldLinks;
  /** Programs of an agent before stay where they are: ours would drop what those let pass. */
  leavesOthers = false;

  constructor(programs: WorkloadPrograms, mode: AttachMode, pins: Pins) {
    this.#programs = programs;
    this.#ids = { ingress: programs.ingress.info.id, egress: programs.egress.info.id };
    this.#mode = mode;
    this.links = new HeldLinks(pins);
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
      const info = this.links.find(name, direction)?.info;
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
    const found = DIRECTIONS.map((direction) => this.links.find(name, direction)?.info.ifindex ?? 0);
    return Math.max(...found);
  }

  /** Takes our programs off the interface. */
  detach({ name, ifindex }: AttachTarget): void {
    for (const direction of DIRECTIONS) this.#detachLink(name, direction);
    detachFilters(ifindex);
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

  #ensureTcx({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const { BpfLink, tcxQuery } = loadNative();
    const ids = tcxQuery(ifindex, direction);
    const link = this.links.find(name, direction);
    if (ids[0] === this.#ids[direction]) return [this.links.ensurePin(name, direction) ?? []].flat();
    if (this.leavesOthers && link?.info.ifindex === ifindex && ids.includes(link.info.programId)) {
      return [this.links.ensurePin(name, direction) ?? []].flat();
    }
    const program = this.#programs[direction];
    const repair = describeHook(name, direction, ids, this.#ids[direction], link?.info.programId);
    if (link?.info.ifindex === ifindex && ids[0] === link.info.programId) {
      link.update(program);
      return [repair, this.links.ensurePin(name, direction) ?? []].flat();
    }
    this.#detachLink(name, direction);
    this.links.keep(name, direction, BpfLink.attachTcx(program, ifindex, direction));
    return [repair];
  }

  #detachLink(name: string, direction: AttachDirection): void {
    const link = this.links.find(name, direction);
    if (link !== undefined && link.info.ifindex !== 0) link.detach();
    this.links.release(name, direction);
  }

  #ensureFilter({ name, ifindex }: AttachTarget, direction: AttachDirection): Repair[] {
    const { clsactAttach, clsactDetach, clsactFilters } = loadNative();
    const attach = (handle: number): void =>
      clsactAttach(this.#programs[direction], ifindex, direction, handle, FILTER_PRIORITY);
    const detach = (handle: number): void => clsactDetach(ifindex, direction, handle, FILTER_PRIORITY);
    const ours = this.#ids[direction];
    const filters = clsactFilters(ifindex, direction);
    const [first] = filters;
    const held = filters.find(isOurFilter);
    const hasSpare = filters.some(isSpareFilter);
    const isBehind = held !== undefined && first !== held;
    if (held?.programId === ours && !isBehind) {
      if (hasSpare) detach(SPARE_HANDLE);
      return [];
    }
    if (this.leavesOthers && held !== undefined) return [];
    requirePriority(name, direction, filters);
    if (isBehind) {
      // A filter that is added goes in front, one that is replaced stays where it is. One of the two is there at any moment.
      if (hasSpare) detach(SPARE_HANDLE);
      attach(SPARE_HANDLE);
      detach(FILTER_HANDLE);
    }
    attach(FILTER_HANDLE);
    if (isBehind || hasSpare) detach(SPARE_HANDLE);
    const ids = filters.map(({ programId }) => programId);
    const repair = describeHook(name, direction, ids, ours, held?.programId);
    return [first === undefined ? repair : { ...repair, found: `${describeFilter(first)}, first at ${direction}` }];
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

/** Whether this is where our program is; which program is there is another question. */
export function isOurFilter({ handle, priority }: ClsactFilter): boolean {
  return handle === FILTER_HANDLE && priority === FILTER_PRIORITY;
}

function isSpareFilter({ handle, priority }: ClsactFilter): boolean {
  return handle === SPARE_HANDLE && priority === FILTER_PRIORITY;
}

/** Whether an agent has put it there: where our program is, or while that went to the front. */
export function isFilterOfOurs(filter: ClsactFilter): boolean {
  return isOurFilter(filter) || isSpareFilter(filter);
}

/** A filter for people to find: `tc filter show` lists it so. */
export function describeFilter({ kind, name, handle, priority, programId }: ClsactFilter): string {
  const program = programId === 0 ? '' : ` ${name}, program ${programId}`;
  return `${kind} filter${program}, priority ${priority}, handle 0x${handle.toString(16)}`;
}

/** Filters of one priority are of one kind and see the same packets. Throws HOOK_TAKEN when others have ours in another way. */
function requirePriority(name: string, direction: AttachDirection, filters: readonly ClsactFilter[]): void {
  const other = filters.find(
    ({ kind, priority, protocol }) => priority === FILTER_PRIORITY && (kind !== 'bpf' || protocol !== ETH_P_ALL),
  );
  if (other === undefined) return;
  throw new DataplaneError('HOOK_TAKEN', 'a filter of somebody else has the place in front of all', {
    operation: `attach clsact ${direction}`,
    target: name,
    found: describeFilter(other),
    expected: `priority ${FILTER_PRIORITY} to be free, or of bpf filters that see every packet`,
    hint: `have its owner take another priority; or: tc filter delete dev ${name} ${direction} pref ${FILTER_PRIORITY}`,
  });
}

/** Removes our clsact filters from an interface; false when there were none. */
export function detachFilters(ifindex: number): boolean {
  const { clsactDetach, clsactFilters } = loadNative();
  const found = DIRECTIONS.map((direction) => {
    const ours = clsactFilters(ifindex, direction).filter(isFilterOfOurs);
    for (const { handle } of ours) clsactDetach(ifindex, direction, handle, FILTER_PRIORITY);
    return ours.length;
  });
  return found.some((count) => count > 0);
}
