// What an examination of this machine is made of: facts that are read, checks that judge them, findings that are shown.
import type { AgentStatus } from '../status.ts';
import type { TableReport } from '../table-report.ts';

export type Level = 'ok' | 'warn' | 'fail' | 'skip';

export interface Judgement {
  readonly level: Level;
  /** What is so here, with the values. */
  readonly found: string;
  /** What to do about it; of `warn` and `fail` there always is one. */
  readonly hint?: string;
}

export interface Finding extends Judgement {
  /** Of the check. */
  readonly id: string;
  readonly checked: string;
}

export interface Check {
  readonly id: string;
  /** What is looked at, and why it matters. */
  readonly checked: string;
  readonly run: (machine: Machine) => Judgement | Promise<Judgement>;
}

/** Places of the agent that this machine has, or would have. */
export interface Places {
  readonly bpffs: string;
  readonly pinRoot: string;
  readonly stateDirectory: string;
  readonly socket: string;
}

export interface ProgramsOnLink {
  readonly name: string;
  readonly direction: string;
  /** Ids of programs, in the order in which they run. */
  readonly ids: readonly number[];
  /** The same for people, where they have names: clsact filters, also those that are no programs. */
  readonly filters?: readonly string[];
  /** Id of the program that our pinned link or filter attaches; 0 = there is none, or it is attached to nothing. */
  readonly ours: number;
}

/** The ways to read this machine; what cannot be read is undefined, and a check that needs it is skipped. */
export interface Machine {
  readonly places: Places;
  readonly read: (path: string) => string | undefined;
  /** Standard output of a program that ended well. */
  readonly run: (...argv: readonly string[]) => Promise<string | undefined>;
  readonly stat: (path: string) => FileFacts | undefined;
  readonly disk: (path: string) => DiskFacts | undefined;
  readonly clocks: () => Promise<ClockFacts>;
  readonly programs: () => readonly ProgramsOnLink[];
  /** Generation of the image in force, by the kernel's own tables. */
  readonly generation: () => number | undefined;
  readonly status: () => Promise<AgentStatus | undefined>;
  readonly tables: () => Promise<TableReport | undefined>;
}

export interface FileFacts {
  readonly uid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly isDirectory: boolean;
}

export interface DiskFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
}

export interface ClockFacts {
  /** How far the wall clock went in this time, and the clock that nobody sets. */
  readonly wallMs: number;
  readonly steadyMs: number;
  readonly nowMs: number;
  /** Seconds since boot; with those that the machine slept, and without. */
  readonly bootSeconds: number | undefined;
  readonly monotonicSeconds: number;
}

export const ok = (found: string): Judgement => ({ level: 'ok', found });
export const skip = (found: string): Judgement => ({ level: 'skip', found });
export const warn = (found: string, hint: string): Judgement => ({ level: 'warn', found, hint });
export const fail = (found: string, hint: string): Judgement => ({ level: 'fail', found, hint });
