// Our filter on a clsact hook: in front of all others, and never missing while it goes there. Whose place a filter is in is known
// by its handle; TCX, and which interfaces have filters, are not known here.
import { DataplaneError } from '../base/errors.ts';
import { DIRECTIONS } from './held-links.ts';
import type { AttachDirection, BpfProgram, ClsactFilter } from './native.ts';
import { loadNative } from './native.ts';

/** Where our filter is among others of a clsact hook: first. No priority comes before, and of one priority the newest is first. */
const FILTER_HANDLE = 0x7474;
const FILTER_PRIORITY = 1;
/** Of a second filter of ours, for the moment in which the other one goes to the front. */
const SPARE_HANDLE = 0x7475;
/** if_ether.h: what a filter sees that sees every packet. */
const ETH_P_ALL = 3;

/**
 * Makes sure that the program, with this id, is in front of all others. `filters` is what is there. Returns whether it was not.
 *
 * A filter that is added goes in front, one that is replaced stays where it is. Ours let no packet go on to the next filter: of
 * the two that there are for a moment, the first one judges alone.
 */
export function ensureFilter(
  program: BpfProgram,
  id: number,
  ifindex: number,
  direction: AttachDirection,
  filters: readonly ClsactFilter[],
): boolean {
  const { clsactAttach, clsactDetach } = loadNative();
  const attach = (handle: number): void => clsactAttach(program, ifindex, direction, handle, FILTER_PRIORITY);
  const detach = (handle: number): void => clsactDetach(ifindex, direction, handle, FILTER_PRIORITY);
  const [first] = filters;
  const held = filters.find(isOurFilter);
  const spare = filters.find(isSpareFilter);
  const isBehind = held !== undefined && first !== held;
  const isWrong = isBehind || held?.programId !== id;
  if (isBehind) {
    if (spare !== undefined && spare !== first) detach(SPARE_HANDLE);
    attach(SPARE_HANDLE);
    detach(FILTER_HANDLE);
  }
  if (isWrong) attach(FILTER_HANDLE);
  if (isBehind || spare !== undefined) detach(SPARE_HANDLE);
  return isWrong;
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
export function requirePriority(name: string, direction: AttachDirection, filters: readonly ClsactFilter[]): void {
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

/** Filters that agents have put on a hook of the interface. */
export function ownFilters(ifindex: number, direction: AttachDirection): ClsactFilter[] {
  return loadNative().clsactFilters(ifindex, direction).filter(isFilterOfOurs);
}

/** Another program in the place of each of them: one that is replaced keeps its place. */
export function replaceFilters(ifindex: number, programs: Readonly<Record<AttachDirection, BpfProgram>>): void {
  for (const direction of DIRECTIONS) {
    for (const { handle } of ownFilters(ifindex, direction)) {
      loadNative().clsactAttach(programs[direction], ifindex, direction, handle, FILTER_PRIORITY);
    }
  }
}

/** Removes our clsact filters from an interface; false when there were none. */
export function detachFilters(ifindex: number): boolean {
  const found = DIRECTIONS.map((direction) => {
    const ours = ownFilters(ifindex, direction);
    for (const { handle } of ours) loadNative().clsactDetach(ifindex, direction, handle, FILTER_PRIORITY);
    return ours.length;
  });
  return found.some((count) => count > 0);
}
