// This command once more, in another network namespace: a process is in one, and stays there.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { DataplaneError } from '../../base/errors.ts';
import { loadNative, translateErrors } from '../../kernel/native.ts';

/** The verb and its flags, run in the namespace at `path`. It ends when this process does. */
export function runElsewhere(path: string, words: readonly string[]): ChildProcess {
  const program = process.argv[1] as string;
  return translateErrors('enter', path, () =>
    loadNative().inNamespace(path, () =>
      spawn(process.execPath, [...process.execArgv, program, ...words], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }),
    ),
  );
}

/** For a process that was run by runElsewhere. Whoever has nothing left to do ends all the same: to listen for the end keeps nobody. */
export function endWithParent(end: () => void): void {
  if (!process.connected) return;
  process.once('disconnect', end);
  process.channel?.unref();
}

/** Lines of its output. Throws KERNEL with what it said if it fails. */
export async function* linesOf(child: ChildProcess, target: string): AsyncGenerator<string> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = once(child, 'close');
  if (child.stdout !== null) yield* createInterface({ input: child.stdout });
  await ended;
  if (child.exitCode === 0 || child.signalCode !== null) return;
  throw new DataplaneError('KERNEL', said.trim() || `ended with ${child.exitCode}`, { operation: 'probe', target });
}
