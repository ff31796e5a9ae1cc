// Holds the harness to one CPU while a section measures within this process: the other CPUs are for what it starts, and
// for the rest of the machine.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Sections whose work is all in this process's main thread or in test runs that it asks for. Others place what they
 * start themselves, or measure what a user would get on all CPUs.
 */
const PINNED: ReadonlySet<string> = new Set(['verdict', 'xdp', 'flows', 'flow-flood', 'instructions']);

/** The CPUs that this process may use now, ascending. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return parseCpuList(list);
}

/** `0-2,5` as numbers. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * Pins all threads of this process for the section, or lets them run on all of `cpus`. Returns the CPU, undefined when
 * the section is not pinned. The last CPU is taken: interrupts and other work tend to be on the first.
 */
export function pinFor(section: string, cpus: readonly number[]): number | undefined {
  const cpu = PINNED.has(section) ? cpus.at(-1) : undefined;
  const list = cpu === undefined ? cpus.join() : String(cpu);
  const { status, stderr, error } = spawnSync('taskset', ['-a', '-c', '-p', list, String(process.pid)], {
    encoding: 'utf8',
  });
  if (error !== undefined || status !== 0) throw new Error(`taskset: ${error?.message ?? stderr}`);
  return cpu;
}
