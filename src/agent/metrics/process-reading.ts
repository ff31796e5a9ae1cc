// What this process costs, by its own account and the kernel's.
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessReading } from '../../observe/metrics/source.ts';

const STARTED = Date.now() / 1000 - process.uptime();

export function readProcess(read: (path: string) => string = readText): ProcessReading {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    userSeconds: user / 1e6,
    systemSeconds: system / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    openDescriptors: readdirSync('/proc/self/fd').length,
    maxDescriptors: Number(/^Max open files +(\d+)/m.exec(read('/proc/self/limits'))?.[1] ?? Number.NaN),
    startTime: STARTED,
  };
}

/** kernel.bpf_stats_enabled; where the kernel does not know it, it counts nothing. */
export function isCountingRuns(read: (path: string) => string = readText): boolean {
  try {
    return read('/proc/sys/kernel/bpf_stats_enabled').trim() === '1';
  } catch {
    return false;
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
