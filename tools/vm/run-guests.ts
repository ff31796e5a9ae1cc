// A command in one guest, or in two that share a cable: needs checked, kernel fetched, environment chosen.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type GuestOptions, runGuest } from './guest.ts';
import { checkMemory, findTools } from './host-needs.ts';
import { ensureKernel } from './kernel-cache.ts';
import type { VmRequest } from './request.ts';

export interface GuestsOptions {
  readonly request: VmRequest;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What this tool itself has to say. */
  readonly tell: (what: string) => void;
  readonly onOutput: (chunk: Buffer, stream: 'out' | 'err', guest: number) => void;
}

export interface GuestsResult {
  readonly abi: string;
  /** Of each guest, in order. */
  readonly codes: readonly number[];
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Throws VmFailure. One guest that dies takes the other with it. */
export async function runGuests({ request, cwd, env = {}, tell, onOutput }: GuestsOptions): Promise<GuestsResult> {
  const tools = findTools();
  checkMemory(request.memoryMb, request.guests);
  const kernel = await ensureKernel(request.kernel, tell);
  const folder = mkdtempSync(path.join(tmpdir(), `tortie-vm-${process.pid}-cable-`));
  const options = (index: number): GuestOptions => {
    const isJoined = request.guests === 2;
    const place: Record<string, string> = isJoined ? { TORTIE_VM_INDEX: String(index) } : {};
    const cable = { socket: path.join(folder, 'cable'), end: index === 0 ? 'waits' : 'joins' } as const;
    const variables = { PATH, HOME: '/root', LANG: 'C.UTF-8', ...env, ...place };
    const { memoryMb, cpus, limitMs } = request;
    return {
      ...{ tools, kernel, memoryMb, cpus, limitMs },
      task: { words: request.words, cwd, env: variables, ...(isJoined ? { index } : {}) },
      ...(isJoined ? { cable } : {}),
      onOutput: (chunk, stream) => onOutput(chunk, stream, index),
    };
  };
  try {
    const runs = Array.from({ length: request.guests }, (_, index) => runGuest(options(index)));
    return { abi: kernel.abi, codes: await Promise.all(runs) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
