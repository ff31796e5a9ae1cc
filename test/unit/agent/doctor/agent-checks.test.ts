import { describe, expect, it } from 'vitest';
import { AGENT_CHECKS } from '../../../../src/agent/doctor/agent-checks.ts';
import type { AgentStatus } from '../../../../src/agent/status.ts';
import type { TableReport } from '../../../../src/agent/table-report.ts';
import { type MachineFacts, machineWith } from '../../../support/agent/machine-facts.ts';

const STATUS = {
  version: '1.2.3',
  inSync: true,
  generation: 5,
  endpoints: [{ endpoint: 'a/b', interface: 'calia', state: 'ready', reason: '' }],
  repairs: 0,
  repairsByCause: {},
  conditions: [],
  manifests: { directory: '/manifests', objects: 3, errors: [] },
  flows: 10,
} as unknown as AgentStatus;

function says(status: Partial<AgentStatus>): MachineFacts {
  return { status: async () => ({ ...STATUS, ...status }) };
}

function filled(usedBytes: number, flows: number): MachineFacts {
  const report = { arrays: [{ name: 'tt_heap', usedBytes, capacityBytes: 100 }], kernel: { flows: 1000 } };
  return { ...says({ flows }), tables: async () => report as unknown as TableReport };
}

async function judge(id: string, facts: MachineFacts) {
  return await AGENT_CHECKS.find((check) => check.id === id)?.run(machineWith(facts));
}

describe('checks of the agent', () => {
  it('find nothing wrong with a healthy machine', async () => {
    for (const { id } of AGENT_CHECKS) expect(await judge(id, filled(10, 10)), id).toMatchObject({ level: 'ok' });
  });

  it.each<[string, string, MachineFacts, string, RegExp]>([
    ['nobody who answers', 'agent', {}, 'fail', /nobody answers at \/run\/agent\.sock/],
    [
      'an endpoint in error',
      'agent',
      says({ endpoints: [{ endpoint: 'a/b', interface: 'calia', state: 'error', reason: 'no slot' }] }),
      'fail',
      /a\/b: no slot/,
    ],
    [
      'a condition',
      'agent',
      says({ conditions: [{ type: 'Degraded', reason: 'DiskFull', message: '0 KiB', since: '' }] }),
      'warn',
      /DiskFull: 0 KiB/,
    ],
    [
      'what was refused',
      'agent',
      says({ manifests: { directory: '', objects: 0, errors: [{ code: 'STORE_FAILED', message: 'no' }] } }),
      'warn',
      /1 refused, first STORE_FAILED: no/,
    ],
    ['what is not in force', 'agent', says({ inSync: false }), 'warn', /not in sync/],
    ['another generation', 'drift', { ...says({}), generation: () => 6 }, 'fail', /6 in the kernel, 5/],
    ['repairs', 'drift', says({ repairs: 2, repairsByCause: { 'table-edited': 2 } }), 'warn', /table-edited 2/],
    ['a table nearly full', 'tables', filled(85, 0), 'warn', /tt_heap 85 %/],
    ['a full flow table', 'tables', filled(10, 990), 'fail', /flows 99 %/],
    ['a full disk', 'disk', { disk: () => ({ freeBytes: 0, totalBytes: 100, freeInodes: 9 }) }, 'fail', /0 MiB/],
    [
      'no inodes',
      'disk',
      { disk: () => ({ freeBytes: 2 ** 34, totalBytes: 2 ** 35, freeInodes: 0 }) },
      'fail',
      /no inode/,
    ],
    [
      'no files to open',
      'descriptors',
      { files: { '/proc/sys/fs/file-nr': '99000\t0\t100000\n' } },
      'fail',
      /99000 of 100000/,
    ],
    [
      'a low limit of files',
      'descriptors',
      { files: { '/proc/self/limits': 'Max open files            256                  4096                 files\n' } },
      'warn',
      /256 allowed/,
    ],
    [
      'a socket of somebody else',
      'state-directory',
      { stat: (path) => ({ uid: path.endsWith('.sock') ? 1000 : 0, mode: 0o600, isDirectory: false }) },
      'fail',
      /agent\.sock belongs to user 1000/,
    ],
    [
      'state that anybody may write',
      'state-directory',
      { stat: (path) => ({ uid: 0, mode: path === '/state' ? 0o777 : 0o600, isDirectory: path === '/state' }) },
      'fail',
      /\/state has mode 0777/,
    ],
    [
      'state that anybody may read',
      'state-directory',
      { stat: (path) => ({ uid: 0, mode: path === '/state' ? 0o755 : 0o600, isDirectory: path === '/state' }) },
      'warn',
      /\/state has mode 0755/,
    ],
  ])('find %s', async (_, id, facts, level, found) => {
    const judgement = await judge(id, facts);
    expect(judgement).toMatchObject({ level, found: expect.stringMatching(found), hint: expect.stringMatching(/./) });
  });

  it.each([
    ['tt_heap', 2 ** 26, /^tt_heap: heapWords is at its maximum: have fewer rules/],
    [
      'tt_heap',
      2 ** 25,
      /raise heapWords: it counts from the next start after tortie cleanup, and nothing is enforced/,
    ],
    ['tt_v6_nodes', 17_432_576, /raise v6Nodes: it counts from the next start after tortie cleanup/],
  ])('find %s of %i bytes full, and say what can be done', async (name, capacityBytes, hint) => {
    const report = { arrays: [{ name, usedBytes: 0.9 * capacityBytes, capacityBytes }], kernel: { flows: 1000 } };
    const facts = { ...says({}), tables: async () => report as unknown as TableReport };
    const judgement = await judge('tables', facts);
    expect(judgement).toMatchObject({ level: 'warn', hint: expect.stringMatching(hint) });
    expect(judgement?.hint).not.toContain('maxFlows');
  });

  it('tell of room for flows only where it is flows that have none', async () => {
    const judgement = await judge('tables', filled(10, 990));
    expect(judgement?.hint).toMatch(/^flows: raise maxFlows: /);
  });

  it('asks again before it tells of drift: policy may have changed in between', async () => {
    let asked = 0;
    const status = async () => ({ ...STATUS, generation: asked++ === 0 ? 4 : 5 });
    expect(await judge('drift', { status })).toMatchObject({ level: 'ok' });
  });
});
