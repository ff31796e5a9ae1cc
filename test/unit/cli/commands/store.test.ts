import { describe, expect, it } from 'vitest';
import { describeChange, describeWho } from '../../../../src/cli/commands/store.ts';

const change = { id: 'NetworkPolicy prod/web', result: 'created', object: null } as const;

describe('a change of the store', () => {
  it.each([
    ['that is made', { revision: '7', dryRun: false }, 'NetworkPolicy prod/web created\nrevision 7'],
    ['that is tried', { revision: '6', dryRun: true }, 'NetworkPolicy prod/web created (dry run)'],
    [
      'that waits to be confirmed',
      { revision: '7', dryRun: false, confirmation: { revision: 7, expires: '2026-01-01T00:01:00Z' } },
      'NetworkPolicy prod/web created\nrevision 7\nundone at 2026-01-01T00:01:00Z unless: tortie store confirm 7',
    ],
  ])('%s is told object by object', (_, report, text) => {
    expect(describeChange({ ...report, changes: [change] })).toBe(text);
  });

  it.each([
    [{ kind: 'local', uid: 0, gid: 0, pid: 12 }, 'uid 0, pid 12'],
    [{ kind: 'agent' }, 'the agent'],
    [{ kind: 'certificate', commonName: 'ops' }, 'ops'],
    [{ kind: 'certificate', commonName: 'ops', organization: 'Acme' }, 'ops (Acme)'],
  ] as const)('names who made it: %j', (who, text) => {
    expect(describeWho(who)).toBe(text);
  });
});
