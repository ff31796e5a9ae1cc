// This machine, as the checks of the doctor read it: files, programs' listings, the kernel's hooks. Reads only; what
// cannot be read is left out.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Root, State } from '../../abi/heap.gen.ts';
import { describeFilter, isOurFilter } from '../../kernel/clsact-hook.ts';
import type { AttachDirection } from '../../kernel/native.ts';
import { loadNative } from '../../kernel/native.ts';
import { Pins } from '../../kernel/pins.ts';
import type { AgentStatus } from '../status.ts';
import type { TableReport } from '../table-report.ts';
import type { ClockFacts, DiskFacts, FileFacts, Machine, Places, ProgramsOnLink } from './finding.ts';

const COMMAND_LIMIT_MS = 10_000;
const MOST_OUTPUT_BYTES = 16 * 2 ** 20;
/** Long enough to see a clock that somebody keeps setting. */
const CLOCK_MS = 300;

/** Asks the agent; undefined = none answers. */
export type AskAgent = <T>(path: string) => Promise<T | undefined>;

export function thisMachine(places: Places, ask: AskAgent): Machine {
  return {
    places,
    read: readIfThere,
    run: outputOf,
    stat: fileFacts,
    disk: diskFacts,
    clocks: clockFacts,
    programs: () => [...linksOf(new Pins(places.pinRoot)), ...filtersOf()],
    generation: () => generationOf(new Pins(places.pinRoot)),
    status: () => ask<AgentStatus>('/v1/status'),
    tables: async () => (await ask<TableReport | null>('/v1/tables')) ?? undefined,
  };
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Standard output of a program that ended well; undefined if it did not, took too long or said too much. */
export function outputOf(...argv: readonly string[]): Promise<string | undefined> {
  const [program = '', ...rest] = argv;
  const limits = { timeout: COMMAND_LIMIT_MS, maxBuffer: MOST_OUTPUT_BYTES };
  return new Promise((resolve) => {
    execFile(program, rest, limits, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

function fileFacts(path: string): FileFacts | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { uid: found.uid, mode: found.mode & 0o7777, isDirectory: found.isDirectory() };
}

function diskFacts(path: string): DiskFacts | undefined {
  if (!existsSync(path)) return undefined;
  const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
  // Some file systems make inodes as they need them.
  const freeInodes = files === 0 ? Number.POSITIVE_INFINITY : ffree;
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes };
}

async function clockFacts(): Promise<ClockFacts> {
  const [wall, steady] = [Date.now(), performance.now()];
  await sleep(CLOCK_MS);
  const uptime = /^(\d+\.\d+)/.exec(readIfThere('/proc/uptime') ?? '')?.[1];
  return {
    wallMs: Date.now() - wall,
    steadyMs: performance.now() - steady,
    nowMs: Date.now(),
    bootSeconds: uptime === undefined ? undefined : Number(uptime),
    monotonicSeconds: Number(process.hrtime.bigint()) / 1e9,
  };
}

/** Hooks that a pinned link of ours names. */
function linksOf(pins: Pins): ProgramsOnLink[] {
  if (!existsSync(pins.linkDirectory)) return [];
  const ifindexes = new Map(
    loadNative()
      .linkList()
      .map(({ name, ifindex }) => [name, ifindex]),
  );
  return readdirSync(pins.linkDirectory)
    .sort()
    .flatMap((file) => {
      const [, name = '', direction = ''] = /^(.*)-(ingress|egress)$/.exec(file) ?? [];
      const ifindex = ifindexes.get(name);
      return ifindex === undefined ? [] : [hookOf(pins, { name, ifindex }, direction as AttachDirection)];
    });
}

function hookOf(
  pins: Pins,
  link: { readonly name: string; readonly ifindex: number },
  direction: AttachDirection,
): ProgramsOnLink {
  const pinned = loadNative().BpfLink.openPinned(pins.link(link.name, direction));
  const { ifindex, programId } = pinned.info;
  pinned.close();
  const ids = loadNative().tcxQuery(link.ifindex, direction);
  return { name: link.name, direction, ids, ours: ifindex === link.ifindex ? programId : 0 };
}

/** Hooks that have a clsact filter of ours, and so no link. */
function filtersOf(): ProgramsOnLink[] {
  const { clsactFilters, linkList } = loadNative();
  return linkList().flatMap(({ name, ifindex }) =>
    (['ingress', 'egress'] as const).flatMap((direction) => {
      const filters = clsactFilters(ifindex, direction);
      const ours = filters.find(isOurFilter)?.programId;
      if (ours === undefined) return [];
      return [
        { name, direction, ids: filters.map(({ programId }) => programId), filters: filters.map(describeFilter), ours },
      ];
    }),
  );
}

function generationOf(pins: Pins): number | undefined {
  const pin = pins.map('tt_state');
  if (!existsSync(pin)) return undefined;
  const map = loadNative().BpfMap.openPinned(pin);
  const state = new Uint32Array(map.lookup(new Uint8Array(4))?.slice().buffer ?? new ArrayBuffer(0));
  map.close();
  const active = (state[State.OFFSET.active / 4] ?? 0) & 1;
  return state[(State.OFFSET.root + active * Root.SIZE + Root.OFFSET.generation) / 4];
}
