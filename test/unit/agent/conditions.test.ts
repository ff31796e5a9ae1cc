import { beforeEach, describe, expect, it } from 'vitest';
import { type ConditionReason, Conditions } from '../../../src/agent/conditions.ts';
import { Logger } from '../../../src/base/log.ts';

const CGROUP_FILES = {
  '/proc/self/cgroup': '0::/system.slice/tortie.service\n',
  '/proc/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  '/sys/fs/cgroup/system.slice/tortie.service/memory.max': '1000\n',
};
/** A machine with both versions of cgroups, as the first has the limits. */
const OLD_CGROUP_FILES = {
  '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/agents/tortie\n0::/\n',
  '/proc/mounts':
    'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n' +
    'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n',
  '/sys/fs/cgroup/memory/agents/tortie/memory.limit_in_bytes': '1000\n',
  '/sys/fs/cgroup/memory/agents/tortie/memory.stat': 'inactive_file 400\ntotal_inactive_file 20\n',
};
const OLD_USAGE = '/sys/fs/cgroup/memory/agents/tortie/memory.usage_in_bytes';
const CURRENT = '/sys/fs/cgroup/system.slice/tortie.service/memory.current';
const STAT = '/sys/fs/cgroup/system.slice/tortie.service/memory.stat';

describe('conditions of the agent', () => {
  let files: Record<string, string>;
  let wallMs: number;
  let steadyMs: number;
  let free: () => number;
  let open: () => number;
  let others: [ConditionReason, string][];
  let lines: string[];
  let conditions: Conditions;

  beforeEach(() => {
    files = { '/proc/self/limits': 'Max open files            100                  100                files\n' };
    wallMs = Date.UTC(2026, 0, 1);
    steadyMs = 0;
    free = () => 2 ** 30;
    open = () => 20;
    others = [];
    lines = [];
    conditions = new Conditions(
      {
        stateDirectory: '/state',
        read: (path) => files[path],
        openDescriptors: () => open(),
        freeBytes: () => free(),
        wallMs: () => wallMs,
        steadyMs: () => steadyMs,
      },
      new Logger({ level: 'info', write: (line) => lines.push(line) }),
      () => others,
    );
  });

  function look(afterMs = 5000): string[] {
    wallMs += afterMs;
    steadyMs += afterMs;
    conditions.look();
    return conditions.list.map(({ reason, message }) => `${reason}: ${message}`);
  }

  function failing(code: string): () => never {
    return () => {
      throw Object.assign(new Error(code), { code });
    };
  }

  it('are none where all is well', () => {
    files = { ...files, ...CGROUP_FILES, [CURRENT]: '990\n', [STAT]: 'inactive_file 500\n' };
    expect(look()).toEqual([]);
    files = { ...files, ...OLD_CGROUP_FILES, [OLD_USAGE]: '960\n' };
    expect(look()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it.each<[string, () => void, RegExp]>([
    ['a clock set forward', () => (wallMs += 3_600_000), /^ClockJumped: .*forward by 3600\.0 s/],
    ['a clock set back', () => (wallMs -= 60_000), /^ClockJumped: .*back by 60\.0 s/],
    ['a full disk', () => (free = () => 1024), /^DiskFull: 1 KiB are free at \/state/],
    ['a disk that is gone', () => (free = failing('ENOENT')), /^DiskFull: \/state: ENOENT/],
    ['few descriptors left', () => (open = () => 95), /^DescriptorsLow: 95 of 100/],
    ['no descriptor left', () => (open = failing('EMFILE')), /^DescriptorsLow: no file descriptor is left: EMFILE/],
    ['little memory', () => (files = { ...files, ...CGROUP_FILES, [CURRENT]: '960\n' }), /^MemoryLow: 960 of 1000/],
    [
      'little memory of an old cgroup',
      () => (files = { ...files, ...OLD_CGROUP_FILES, [OLD_USAGE]: '980\n' }),
      /^MemoryLow: 960 of 1000/,
    ],
    ['what others found', () => others.push(['AuditFailed', 'no bpffs']), /^AuditFailed: no bpffs/],
  ])('tell of %s, and log it once', (_, damage, expected) => {
    look();
    damage();
    expect(look()).toEqual([expect.stringMatching(expected)]);
    expect(look()).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"degraded"');
  });

  it('keep the time at which they began, and end with what caused them', () => {
    free = () => 0;
    look();
    const since = conditions.list[0]?.since;
    look();
    expect(conditions.list[0]?.since).toBe(since);
    free = () => 2 ** 30;
    expect(look()).toEqual([]);
    expect(lines.at(-1)).toContain('not degraded any more');
  });

  it('tell of a jump of the clock for ten minutes', () => {
    wallMs += 10_000;
    expect(look()).toHaveLength(1);
    expect(look(9 * 60_000)).toHaveLength(1);
    expect(look(2 * 60_000)).toEqual([]);
  });

  it('tell of each jump of the clock, also of a second one soon after the first', () => {
    const jumps = [86_400_000, -90_000_000, -90_000_000];
    const since = jumps.map((byMs) => {
      wallMs += byMs;
      expect(look()).toEqual([expect.stringContaining(`by ${Math.abs(byMs) / 1000}.0 s`)]);
      expect(look()).toHaveLength(1);
      return conditions.list[0]?.since;
    });
    expect(new Set(since).size).toBe(jumps.length);
    expect(lines.map((line) => /forward|back/.exec(line)?.[0])).toEqual(['forward', 'back', 'back']);
  });

  it('say nothing of a clock that is slewed', () => {
    for (let step = 0; step < 20; step += 1) {
      wallMs += 500;
      expect(look()).toEqual([]);
    }
  });

  it('do not take want of descriptors for a full disk', () => {
    free = failing('EMFILE');
    expect(look()).toEqual([]);
  });
});
