// The flow cache is each CPU's own: runs that follow each other must be on one, or the second finds nothing there.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Keeps all threads of this process on the first CPU that it may use. Throws an ordinary Error if that does not work. */
export function stayOnOneCpu(): void {
  if (availableParallelism() === 1) return;
  const first = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const words = ['-a', '-c', '-p', first, String(process.pid)];
  const { status, stderr, error } = spawnSync('taskset', words, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`taskset: ${error?.message ?? stderr}`);
}
