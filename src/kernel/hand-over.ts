// Other programs where ours, or those of an agent before, are: on every interface that has them, each at one instant. In which
// order programs take over from another is takeover.ts.
import type { Attachments, WorkloadPrograms } from './attachment.ts';
import { replaceFilters } from './clsact-hook.ts';
import { DIRECTIONS } from './held-links.ts';
import { translateErrors } from './native.ts';
import { errnoName } from './native-error.ts';

const GONE: ReadonlySet<string> = new Set(['ENODEV', 'ENOLINK']);

/**
 * By TCX and by clsact, whichever an agent before has used; not on interfaces that agents of another pin root have. Throws
 * PERMISSION or KERNEL: some have the others then.
 */
export function handOver({ links, marks }: Pick<Attachments, 'links' | 'marks'>, programs: WorkloadPrograms): void {
  for (const name of links.interfaces()) {
    for (const direction of DIRECTIONS) {
      const link = links.find(name, direction);
      if (link === undefined || link.info.ifindex === 0) continue;
      unlessGone(`update tcx ${direction}`, name, () => link.update(programs[direction]));
    }
  }
  for (const ifindex of marks.interfaces) {
    unlessGone('update clsact', `interface ${ifindex}`, () => replaceFilters(ifindex, programs));
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
