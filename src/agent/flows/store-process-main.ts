// What the agent starts to keep flows in: see store-process.ts.
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { serveParent } from './store-process.ts';

const BEHIND_OTHERS = 10;
/** Of 1000: by half of the memory there is before the agent, which decides about packets, and can be started anew. */
const GOES_FIRST = 500;

// A service's filter of system calls may forbid the one, a read-only /proc the other: then it runs as the agent does.
// Each thread has a priority of its own, and gives it to those that it begins: the pool that the database works in is there already.
for (const thread of tryTo(() => readdirSync('/proc/self/task')) ?? []) {
  tryTo(() => setPriority(Number(thread), BEHIND_OTHERS));
}
tryTo(() => writeFileSync('/proc/self/oom_score_adj', String(GOES_FIRST)));

function tryTo<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

export const server = serveParent();
