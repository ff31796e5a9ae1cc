// Runs one program of the machine to its end. No shell: words stay words.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { VmFailure } from './failure.ts';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** Standard output. Throws VmFailure with what the program complained about. */
export function runTool(command: string, words: readonly string[], options: ToolOptions = {}): Promise<Buffer> {
  const { cwd, env = {}, input } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env: { ...process.env, LC_ALL: 'C', ...env } });
    const out: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (cause) => reject(new VmFailure(`${command}: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out));
      const why = Buffer.concat(complaints).toString().trim().split('\n').slice(-5).join('\n');
      reject(new VmFailure(`${command} ${words.join(' ')}: ${signal ?? `exit code ${code}`}\n${why}`));
    });
    // A program may end before it has read everything: its exit code tells that.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Absolute path of the first that is there: commands are looked for on the PATH and in sbin. */
export function findTool(candidates: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...SYSTEM_FOLDERS].filter((it) => it !== '');
  return candidates
    .flatMap((name) => (name.startsWith('/') ? [name] : folders.map((folder) => path.join(folder, name))))
    .find((file) => existsSync(file));
}
