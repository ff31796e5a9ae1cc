import { describe, expect, it } from 'vitest';
import type { BlockStatus } from '../../../../src/agent/block/block-service.ts';
import { BLOCK_CHECKS } from '../../../../src/agent/doctor/block-checks.ts';
import type { AgentStatus } from '../../../../src/agent/status.ts';
import { machineWith } from '../../../support/agent/machine-facts.ts';
import { NO_SYNS } from '../../../support/block/table-enforcement.ts';

const NONE = { packets: 0, bytes: 0 };
const IDLE: BlockStatus = {
  entries: 0,
  feeds: 0,
  prefixes: 0,
  interfaces: [],
  error: null,
  drops: { source: NONE, hole: NONE },
  tableBytes: 0,
  syn: NO_SYNS,
};
const NATIVE = { interface: 'eth0', state: 'guarded', mode: 'native', reason: '' } as const;
const BUSY: BlockStatus = { ...IDLE, entries: 2, prefixes: 2, interfaces: [NATIVE] };

describe('the check of the block list', () => {
  it.each<[string, BlockStatus | undefined, string, RegExp]>([
    ['is skipped without an agent', undefined, 'skip', /no agent/],
    ['is skipped where nothing is blocked', IDLE, 'skip', /nothing is blocked/],
    ['is content with drivers that drop', BUSY, 'ok', /2 prefixes, guarded: eth0 \(native\)/],
    [
      'warns of the slow way',
      { ...BUSY, interfaces: [NATIVE, { ...NATIVE, interface: 'eth1', mode: 'generic' }] },
      'warn',
      /eth1 \(generic\)/,
    ],
    [
      'fails where an interface is open',
      { ...BUSY, error: 'eth1: another XDP program' },
      'fail',
      /another XDP program/,
    ],
    [
      'warns of a broken table',
      { ...BUSY, drops: { source: NONE, hole: { packets: 3, bytes: 180 } } },
      'warn',
      /3 packets were dropped because the table led nowhere/,
    ],
  ])('%s', async (_, block, level, found) => {
    const status = block === undefined ? undefined : ({ block } as AgentStatus);
    const judgement = await BLOCK_CHECKS[0]?.run(machineWith({ status: async () => status }));
    expect(judgement).toMatchObject({ level, found: expect.stringMatching(found) });
    expect(level === 'ok' || level === 'skip' || judgement?.hint !== undefined).toBe(true);
  });
});
