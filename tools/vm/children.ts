// Processes that must not outlive this one, however it ends. Each has a process group of its own and is killed by its number.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<ChildProcess>();
let isWatching = false;

/** The kernel kills the child when this process is gone, even by SIGKILL: setpriv sees to that before the program starts. */
export function startChild(command: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  watchForEnd();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...words], { ...options, detached: true });
  running.add(child);
  child.on('close', () => running.delete(child));
  child.on('error', () => running.delete(child));
  return child;
}

/** Resolves when it is gone. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const ended = once(child, 'close');
  kill(child);
  await ended;
}

function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** A signal ends this process as it would without us, only later by what the killing takes. */
function watchForEnd(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    for (const child of running) kill(child);
  });
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      for (const child of running) kill(child);
      process.kill(process.pid, signal);
    });
  }
}
