// Through which SSH session a process was started: what a command tells the agent, so that nobody locks himself out.
import { readFileSync } from 'node:fs';

export type ReadFile = (path: string) => string | undefined;

/** Processes above the one that asks, up to which its session is looked for: sudo hides it from its child. */
const GENERATIONS = 12;

/**
 * SSH_CONNECTION of a process, or of the nearest one above it that has it; empty = none has. Whoever asks looks for it: an agent may
 * not read what other processes were started with.
 */
export function sshConnectionOf(pid: number, read: ReadFile = readIfThere): string {
  let next = pid;
  for (let generation = 0; generation < GENERATIONS && next > 1; generation += 1) {
    const [, found] = /(?:^|\0)SSH_CONNECTION=([^\0]+)/.exec(read(`/proc/${next}/environ`) ?? '') ?? [];
    if (found !== undefined) return found;
    next = Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${next}/status`) ?? '')?.[1] ?? 0);
  }
  return '';
}

/** undefined = there is none, or it may not be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
