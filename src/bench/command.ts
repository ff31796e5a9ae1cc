// Runs programs from argument vectors, never through a shell. No knowledge of namespaces, probes or measurements.
import { spawn, spawnSync } from 'node:child_process';
import { DataplaneError } from '../base/errors.ts';

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Which Debian package brings a program that is run here. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  cc: 'gcc libc6-dev',
  ip: 'iproute2',
  'ip6tables-restore': 'iptables',
  'iptables-restore': 'iptables',
  'ip6tables-legacy-restore': 'iptables',
  'iptables-legacy-restore': 'iptables',
  mount: 'mount',
  nft: 'nftables',
  nsenter: 'util-linux',
  taskset: 'util-linux',
};
function commandError(argv: readonly string[], what: string, cause?: unknown): DataplaneError {
  const program = argv[0] ?? '';
  const missing = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  const known = PACKAGE_OF[program];
  const hint = missing && known !== undefined ? `apt-get install ${known}` : undefined;
  return new DataplaneError(missing ? 'NOT_FOUND' : 'KERNEL', what, {
    operation: 'run',
    target: argv.join(' '),
    cause,
    hint,
  });
}

function describeFailure(status: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  const end = signal === null ? `exit status ${status}` : `ended by ${signal}`;
  return stderr.trim() === '' ? end : `${end}: ${stderr.trim()}`;
}

/** Output of a program that ended with status 0. `input` is fed to its stdin. Throws NOT_FOUND (no such program) or KERNEL. */
export function runCommand(argv: readonly string[], input = ''): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => reject(commandError(argv, 'did not start', error)));
    child.on('close', (status, signal) => {
      const output = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (status === 0) resolve(output);
      else reject(commandError(argv, describeFailure(status, signal, output.stderr)));
    });
    // A program may end without reading its input; its status says whether that matters.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The same for the way out of the process, where nothing asynchronous runs any more; failure is not reported. */
export function runCommandAtExit(argv: readonly string[], input = ''): void {
  spawnSync(argv[0] ?? '', argv.slice(1), { input, stdio: ['pipe', 'ignore', 'ignore'] });
}
