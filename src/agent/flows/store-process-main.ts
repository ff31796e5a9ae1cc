// What the agent starts to keep flows in: see store-process.ts.
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { serveParent } from './store-process.ts';

const BEHIND_OTHERS = 10;

try {
  // What is asked of it may wait; packets and policy may not. And the agent may be protected from the kernel's shortage of
  // memory: what can be started anew goes first.
  writeFileSync('/proc/self/oom_score_adj', '0');
  setPriority(BEHIND_OTHERS);
} catch {
  // A service's filter of system calls may forbid the one, a read-only /proc the other: then it runs as the agent does.
}

export const server = serveParent();
