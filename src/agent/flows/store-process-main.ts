// What the agent starts to keep flows in: see store-process.ts.
import { writeFileSync } from 'node:fs';
import { serveParent } from './store-process.ts';

try {
  // The agent may be protected from the kernel's shortage of memory: what can be started anew goes first.
  writeFileSync('/proc/self/oom_score_adj', '0');
} catch {
  // Without it the kernel chooses between the two by their size.
}

export const server = serveParent();
