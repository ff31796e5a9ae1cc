// Other programs where ours, or those of an agent before, are: on every interface that has them, each at one instant. In which
// order programs take over from another is takeover.ts.
import type { WorkloadPrograms } from './attachment.ts';
import { FILTER_PRIORITY, isFilterOfOurs } from './attachment.ts';
import { DIRECTIONS, type HeldLinks } from './held-links.ts';
import { loadNative, translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';

const GONE: ReadonlySet<string> = new Set(['ENODEV', 'ENOLINK']);

/** By TCX and by clsact, whichever an agent before has used. Throws PERMISSION or KERNEL: some have the others then. */
export function handOver(links: HeldLinks, programs: WorkloadPrograms): void {
  for (const name of links.interfaces()) {
    for (const direction of DIRECTIONS) {
      const link = links.find(name, direction);
      if (link === undefined || link.info.ifindex === 0) continue;
      unlessGone(`update tcx ${direction}`, name, () => link.update(programs[direction]));
    }
  }
  for (const { ifindex, name } of loadNative().linkList()) {
    unlessGone('update clsact', name, () => replaceFilters(ifindex, programs));
  }
}

/** One that is replaced keeps its place among others. */
function replaceFilters(ifindex: number, programs: WorkloadPrograms): void {
  const { clsactAttach, clsactFilters } = loadNative();
  for (const direction of DIRECTIONS) {
    for (const { handle } of clsactFilters(ifindex, direction).filter(isFilterOfOurs)) {
      clsactAttach(programs[direction], ifindex, direction, handle, FILTER_PRIORITY);
    }
  }
}

/** An interface may go while it is worked on. */
function unlessGone(operation: string, target: string, call: () => void): void {
  try {
    translateErrors(operation, target, call);
  } catch (error) {
    if (!GONE.has(errnoName(error) ?? '')) throw error;
  }
}
