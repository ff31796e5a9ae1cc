// What keeps the agent from doing all it should, while what is in force stays in force: the conditions of its status.
// Looks at its own process and places; changes nothing.
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import type { Logger } from '../base/log.ts';

export type ConditionReason =
  | 'AuditFailed'
  | 'ClockJumped'
  | 'DescriptorsLow'
  | 'DiskFull'
  | 'FlowsNotKept'
  | 'HostEndpointsNotEnforced'
  | 'InterfaceNotGuarded'
  | 'MemoryLow'
  | 'StoredNotInForce'
  | 'UndoFailed';

/** Something is degraded; verdicts are those of the policy in force. */
export interface Condition {
  readonly type: 'Degraded';
  readonly reason: ConditionReason;
  readonly message: string;
  /** ISO time at which it was first seen. */
  readonly since: string;
}

export interface Limits {
  readonly stateDirectory: string;
  /** Of /proc and /sys; a test has its own. */
  readonly read?: (path: string) => string | undefined;
  readonly openDescriptors?: () => number;
  readonly freeBytes?: (path: string) => number;
  readonly wallMs?: () => number;
  readonly steadyMs?: () => number;
}

const LEAST_FREE_BYTES = 8 * 2 ** 20;
const DESCRIPTORS_FULL = 0.9;
const MEMORY_FULL = 0.95;
/** Time services slew; more than this at once is a jump, and is told of for as long as JUMP_TOLD_MS. */
const LARGEST_STEP_MS = 2000;
const JUMP_TOLD_MS = 10 * 60_000;
/** Of either version of cgroups; a machine with both has its limits of memory in one of them. */
const MEMORY_GROUPS = [
  {
    group: /^0::(\/.*)$/m,
    mount: /^\S+ (\S+) cgroup2 /m,
    files: { most: 'memory.max', used: 'memory.current', inactive: /^inactive_file (\d+)$/m },
  },
  {
    group: /^\d+:(?:\S*,)?memory(?:,\S*)?:(\/.*)$/m,
    mount: /^\S+ (\S+) cgroup (?:\S*,)?memory\b/m,
    files: {
      most: 'memory.limit_in_bytes',
      used: 'memory.usage_in_bytes',
      inactive: /^total_inactive_file (\d+)$/m,
    },
  },
] as const;

export class Conditions {
  readonly #limits: Required<Limits>;
  readonly #log: Logger;
  readonly #others: () => Iterable<readonly [ConditionReason, string]>;
  #conditions: readonly Condition[] = [];
  /** How far the wall clock was ahead of the steady one at the last look. */
  #offsetMs: number;
  #jump: { readonly atMs: number; readonly message: string } | undefined;

  /** `others` = what the rest of the agent found. */
  constructor(limits: Limits, log: Logger, others: () => Iterable<readonly [ConditionReason, string]>) {
    this.#limits = {
      read: readIfThere,
      openDescriptors: () => readdirSync('/proc/self/fd').length,
      freeBytes: freeBytesAt,
      wallMs: () => Date.now(),
      steadyMs: () => performance.now(),
      ...limits,
    };
    this.#log = log;
    this.#others = others;
    this.#offsetMs = this.#offset();
  }

  /** As of the last look. */
  get list(): readonly Condition[] {
    return this.#conditions;
  }

  /** Looks at everything; what is new or over is said once. */
  look(): void {
    const jump = this.#jump;
    const found = new Map([...this.#others(), ...this.#own()]);
    const before = new Map(this.#conditions.map((condition) => [condition.reason, condition]));
    // Each jump is an event of its own, also while the one before is still told of.
    if (this.#jump !== jump) before.delete('ClockJumped');
    const now = new Date(this.#limits.wallMs()).toISOString();
    for (const [reason, message] of found) {
      if (!before.has(reason)) this.#log.warn('degraded', { reason, what: message });
    }
    for (const reason of before.keys()) if (!found.has(reason)) this.#log.info('not degraded any more', { reason });
    this.#conditions = [...found].map(([reason, message]) => {
      return { type: 'Degraded', reason, message, since: before.get(reason)?.since ?? now };
    });
  }

  *#own(): Generator<readonly [ConditionReason, string]> {
    const looks: Readonly<Partial<Record<ConditionReason, () => string | undefined>>> = {
      ClockJumped: () => this.#clock(),
      DescriptorsLow: () => this.#descriptors(),
      DiskFull: () => this.#disk(),
      MemoryLow: () => this.#memory(),
    };
    for (const [reason, look] of Object.entries(looks)) {
      const message = look();
      if (message !== undefined) yield [reason as ConditionReason, message];
    }
  }

  #offset(): number {
    return this.#limits.wallMs() - this.#limits.steadyMs();
  }

  #clock(): string | undefined {
    const offsetMs = this.#offset();
    const stepMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    const atMs = this.#limits.steadyMs();
    if (Math.abs(stepMs) > LARGEST_STEP_MS) {
      const seconds = (Math.abs(stepMs) / 1000).toFixed(1);
      const message = `the wall clock was set ${stepMs > 0 ? 'forward' : 'back'} by ${seconds} s; verdicts and timeouts do not depend on it`;
      this.#jump = { atMs, message };
    }
    return this.#jump !== undefined && atMs - this.#jump.atMs < JUMP_TOLD_MS ? this.#jump.message : undefined;
  }

  #descriptors(): string | undefined {
    const most = Number(/^Max open files\s+(\d+)/m.exec(this.#limits.read('/proc/self/limits') ?? '')?.[1] ?? Infinity);
    try {
      const open = this.#limits.openDescriptors();
      return open > DESCRIPTORS_FULL * most ? `${open} of ${most} file descriptors are open` : undefined;
    } catch (error) {
      return `no file descriptor is left: ${(error as Error).message}`;
    }
  }

  #disk(): string | undefined {
    const { stateDirectory } = this.#limits;
    try {
      const free = this.#limits.freeBytes(stateDirectory);
      return free < LEAST_FREE_BYTES ? `${Math.floor(free / 1024)} KiB are free at ${stateDirectory}` : undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EMFILE' || code === 'ENFILE' ? undefined : `${stateDirectory}: ${(error as Error).message}`;
    }
  }

  /** Of the cgroup that the agent is in; the kernel ends what goes over the limit. */
  #memory(): string | undefined {
    for (const { group, mount, files } of MEMORY_GROUPS) {
      const own = group.exec(this.#limits.read('/proc/self/cgroup') ?? '')?.[1];
      const root = mount.exec(this.#limits.read('/proc/mounts') ?? '')?.[1];
      const read = (file: string) => this.#limits.read(`${root}${own}/${file}`);
      const [most, used] = [files.most, files.used].map((file) => read(file)?.trim());
      if (own === undefined || root === undefined || most === undefined || used === undefined || most === 'max')
        continue;
      const inactive = files.inactive.exec(read('memory.stat') ?? '')?.[1] ?? 0;
      const needed = Number(used) - Number(inactive);
      if (needed > MEMORY_FULL * Number(most)) return `${needed} of ${most} bytes of the cgroup are in use`;
    }
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function freeBytesAt(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
