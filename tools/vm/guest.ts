// One guest from start to end: its processes, its output, its limit. Whatever goes wrong is told with its console's last lines.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startChild, stopChild } from './children.ts';
import { VmFailure } from './failure.ts';
import { type HostTools, hasKvm } from './host-needs.ts';
import { type GuestTask, packInitramfs } from './initramfs.ts';
import type { CachedKernel } from './kernel-cache.ts';
import { type Cable, type GuestFiles, guestFiles, qemuWords, virtiofsdWords } from './qemu.ts';

export interface GuestOptions {
  readonly tools: HostTools;
  readonly kernel: CachedKernel;
  readonly task: GuestTask;
  readonly memoryMb: number;
  readonly cpus: number;
  /** From start to power-off. */
  readonly limitMs: number;
  readonly cable?: Cable;
  /** An image that takes what the guest writes; without one that is gone with the guest. */
  readonly disk?: string;
  /** Given the task's standard input, which otherwise is empty. */
  readonly onInput?: (input: Socket) => void;
  readonly onOutput: (chunk: Buffer, stream: 'out' | 'err') => void;
}

const FOLDER_NAME = 'tortie-vm-';
const CONSOLE_LINES = 40;
const SHARE_LIMIT_MS = 10_000;

/** Boots, runs the task, ends. Resolves to the task's exit code. Throws VmFailure for a guest that did not get that far. */
export async function runGuest(options: GuestOptions): Promise<number> {
  sweepFolders();
  const folder = mkdtempSync(path.join(tmpdir(), `${FOLDER_NAME}${process.pid}-`));
  const files = guestFiles(folder);
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  try {
    const { tools, kernel, task, disk } = options;
    writeFileSync(files.initramfs, await packInitramfs(tools.busybox, kernel, task, disk !== undefined));
    const ports = await openPorts(files, options, servers);
    children.push(await startShare(tools.virtiofsd, files));
    const hasInput = options.onInput !== undefined;
    const machine = { ...options, kernel: kernel.kernel, files, hasKvm: hasKvm(), hasInput };
    const qemu = startChild(tools.qemu, qemuWords(machine), { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(qemu);
    return await untilEnd(qemu, ports, options, files);
  } finally {
    for (const child of children.reverse()) await stopChild(child);
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the guest said on its exit port, and a promise that all its ports are drained. */
interface Ports {
  readonly exit: () => string;
  readonly drained: () => Promise<unknown>;
}

async function openPorts(files: GuestFiles, { onOutput, onInput }: GuestOptions, servers: Server[]): Promise<Ports> {
  const ends: Promise<unknown>[] = [];
  let exit = '';
  const listen = async (file: string, onData: (chunk: Buffer) => void, onOpen?: (socket: Socket) => void) => {
    const server = createServer((socket: Socket) => {
      socket.on('data', onData).on('error', () => {});
      ends.push(once(socket, 'close'));
      onOpen?.(socket);
    });
    servers.push(server);
    server.listen(file);
    await once(server, 'listening');
  };
  await listen(files.out, (chunk) => onOutput(chunk, 'out'));
  await listen(files.err, (chunk) => onOutput(chunk, 'err'));
  await listen(files.exit, (chunk) => {
    exit += chunk;
  });
  if (onInput !== undefined) await listen(files.in, () => {}, onInput);
  return { exit: () => exit.trim(), drained: () => Promise.all(ends) };
}

/** QEMU connects once and does not wait: the socket must be there before it. */
async function startShare(virtiofsd: string, files: GuestFiles): Promise<ChildProcess> {
  const child = startChild(virtiofsd, virtiofsdWords(files), { stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints = collect(child);
  const deadline = Date.now() + SHARE_LIMIT_MS;
  while (!existsSync(files.share)) {
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (isGone || Date.now() > deadline) {
      await stopChild(child);
      throw new VmFailure(`virtiofsd does not share the host's files\n${complaints()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

async function untilEnd(qemu: ChildProcess, ports: Ports, options: GuestOptions, files: GuestFiles): Promise<number> {
  const complaints = collect(qemu);
  const { limitMs, kernel } = options;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void stopChild(qemu);
  }, limitMs);
  try {
    await new Promise((resolve, reject) => qemu.once('close', resolve).once('error', reject));
  } finally {
    clearTimeout(timer);
  }
  await ports.drained();
  const code = ports.exit();
  if (/^\d+$/.test(code) && !isLate) return Number(code);
  const log = consoleTail(files.console);
  const what = isLate ? `did not end within ${limitMs / 1000} s` : describeDeath(log);
  throw new VmFailure(`guest ${kernel.abi} ${what}\n${[complaints(), log].filter((text) => text !== '').join('\n')}`);
}

function describeDeath(log: string): string {
  return /Kernel panic/.test(log) ? 'panicked' : 'ended without an exit code';
}

function consoleTail(file: string): string {
  if (!existsSync(file)) return '(its console is empty)';
  const lines = readFileSync(file, 'utf8').replaceAll('\r', '').trimEnd().split('\n').slice(-CONSOLE_LINES);
  return lines.map((line) => `  | ${line}`).join('\n');
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk).slice(-4000);
  });
  return () => text.trim();
}

/** Removes folders of runs that were killed before they could. */
function sweepFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^tortie-vm-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
  }
}
