import { describe, expect, it } from 'vitest';
import { Repairs } from '../../../src/agent/repairs.ts';
import { Logger } from '../../../src/base/log.ts';
import type { Repair } from '../../../src/kernel/repair.ts';

const MISSING: Repair = { cause: 'program-missing', target: 'calia', found: 'no program at ingress' };
const EDITED: Repair = { cause: 'table-edited', target: 'tt_heap', found: '3 other words, the first at 64' };
const ANEW: Repair = { cause: 'interface-anew', target: 'calia', found: 'interface number 9' };

function repairsOf(restore: () => Repair[]) {
  const lines: Record<string, unknown>[] = [];
  const log = new Logger({ level: 'info', write: (line) => lines.push(JSON.parse(line)) });
  return { repairs: new Repairs({ restore }, log), lines };
}

describe('repairs', () => {
  it('are counted by cause, and each is said once', () => {
    const { repairs, lines } = repairsOf(() => [EDITED]);
    repairs.note([MISSING, MISSING]);
    repairs.audit();
    expect(repairs.status()).toEqual({ repairs: 3, repairsByCause: { 'program-missing': 2, 'table-edited': 1 } });
    expect(lines.map(({ level, cause, target }) => [level, cause, target])).toEqual([
      ['warn', 'program-missing', 'calia'],
      ['warn', 'program-missing', 'calia'],
      ['warn', 'table-edited', 'tt_heap'],
    ]);
  });

  it('are not what an interface that comes back needs', () => {
    const { repairs, lines } = repairsOf(() => []);
    repairs.note([ANEW]);
    expect(repairs.status()).toEqual({ repairs: 0, repairsByCause: { 'interface-anew': 1 } });
    expect(lines.map(({ level }) => level)).toEqual(['info']);
  });

  it('go on after an audit that failed, and say once for each reason why it did', () => {
    const failures = ['no bpffs', 'no bpffs', 'no memory', undefined];
    const { repairs, lines } = repairsOf(() => {
      const failure = failures.shift();
      if (failure !== undefined) throw new Error(failure);
      return [];
    });
    const seen = [1, 2, 3, 4].map(() => {
      repairs.audit();
      return repairs.failure;
    });
    expect(seen).toEqual(['no bpffs', 'no bpffs', 'no memory', undefined]);
    expect(lines.map(({ error }) => error)).toEqual(['no bpffs', 'no memory']);
  });
});
