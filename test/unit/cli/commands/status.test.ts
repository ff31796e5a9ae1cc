// What `tortie status` makes of an agent's answer: in each form, and as an exit code.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Condition } from '../../../../src/agent/conditions.ts';
import type { ExportCounters } from '../../../../src/agent/export/exporter.ts';
import type { AgentStatus } from '../../../../src/agent/status.ts';
import { API_VERSION, VERSION } from '../../../../src/agent/version.ts';
import { NO_LOSS } from '../../../../src/observe/flows/flow-hub.ts';
import { NO_SYNS } from '../../../support/block/table-enforcement.ts';
import { runCommand } from '../../../support/run-command.ts';

const DISK: Condition = {
  type: 'Degraded',
  reason: 'DiskFull',
  message: '12 KiB are free at /var/lib/tortie',
  since: '2026-01-02T03:04:05.000Z',
};
const FLOW_LOGS = {
  isOn: true,
  isWanted: true,
  intervalSeconds: 5,
  records: 42,
  packets: 42,
  lost: NO_LOSS,
  isSampling: false,
};
const FLOW_STORE = {
  mode: 'aggregated',
  handedOver: 30,
  lost: 0,
  notWritten: 0,
  overflowed: 0,
  waiting: 0,
  store: null,
  error: null,
} as const;
const EXPORTER = {
  exporter: 'siem',
  kind: 'webhook',
  emitted: 12,
  delivered: 7,
  dropped: 2,
  droppedBy: {} as ExportCounters['droppedBy'],
  waiting: 3,
  waitingBytes: 300,
  spooledBytes: 0,
  failures: 1,
  error: 'siem.example:443: HTTP 503',
};
const HEALTHY: AgentStatus = {
  version: VERSION,
  node: 'one',
  inSync: true,
  loading: false,
  error: null,
  config: { errors: [], pending: [] },
  store: { revision: 7, objects: 3, pending: null, undoError: null },
  generation: 4,
  attachMode: 'tcx',
  manifests: { directory: '/etc/tortie/manifests', objects: 9, errors: [] },
  endpoints: [],
  hostEndpoints: [],
  tables: null,
  flows: 0,
  counters: { allowed_new: { packets: 5, bytes: 300 }, spoofed: { packets: 0, bytes: 0 } },
  repairs: 0,
  repairsByCause: {},
  conditions: [],
  flowLogs: FLOW_LOGS,
  flowStore: FLOW_STORE,
  flowStreams: { leftOut: { 'slow-reader': 0, 'too-many-keys': 0 } },
  exports: null,
  block: {
    entries: 0,
    feeds: 0,
    prefixes: 0,
    interfaces: [],
    error: null,
    drops: { source: { packets: 0, bytes: 0 }, hole: { packets: 0, bytes: 0 } },
    tableBytes: 0,
    syn: NO_SYNS,
  },
};

let folder: string;
let server: Server;
let answered: readonly unknown[];

const status = (...words: string[]) => runCommand(['status', '--socket', join(folder, 'agent.sock'), ...words]);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-status-'));
  answered = [HEALTHY];
  server = createServer(({ url }, response) => {
    const [first, ...rest] = answered;
    if (url !== '/version' && rest.length > 0) answered = rest;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(url === '/version' ? { version: VERSION, api: API_VERSION } : first));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'agent.sock'), resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

describe('tortie status', () => {
  it.each<[what: string, change: Partial<AgentStatus>, shown: RegExp, code: number]>([
    ['that nothing is degraded', {}, /^health {5}nothing is degraded, 0 repairs$/m, 0],
    [
      'each condition with its reason, and is in sync for all that',
      { conditions: [DISK] },
      /^health {5}1 degraded, 0 repairs\n {2}Degraded: DiskFull since 2026-01-02T03:04:05.000Z: 12 KiB are free/m,
      0,
    ],
    [
      'repairs by their causes',
      { repairs: 3, repairsByCause: { 'pin-missing': 2, 'table-edited': 1 } },
      /, 3 repairs \(2 pin-missing, 1 table-edited\)$/m,
      0,
    ],
    [
      'settings that are not in force',
      { config: { errors: [{ code: 'UNKNOWN_FIELD', message: 'read tortie.yaml: nod' }], pending: ['node'] } },
      /^settings {3}not all .*\n {2}UNKNOWN_FIELD read tortie.yaml: nod\n {2}after a restart node$/m,
      0,
    ],
    ['that it is not in sync', { inSync: false }, /^NOT in sync {2}generation 4/, 4],
    [
      'what is not applied',
      { inSync: false, error: { code: 'TABLE_FULL', message: 'no room' } },
      /^ {2}not applied no room$/m,
      4,
    ],
    ['what becomes of flows', {}, /^flow logs {2}every 5 s, 42 records, 0 lost; aggregated kept: 30, 0 lost$/m, 0],
    [
      'what waits for the store, and what is lost for want of keys or to slow readers',
      {
        flowStore: { ...FLOW_STORE, lost: 5, overflowed: 2, waiting: 9 },
        flowStreams: { leftOut: { 'slow-reader': 3, 'too-many-keys': 4 } },
      },
      /kept: 30, 5 lost \(2 of too many keys\), 9 wait; left out of streams: 3 read too slowly, 4 of too many keys$/m,
      0,
    ],
    [
      'that flows are not counted',
      { flowLogs: { ...FLOW_LOGS, isOn: false, isWanted: false } },
      /^flow logs {2}off\n\n/m,
      0,
    ],
    [
      'that they should be',
      { flowLogs: { ...FLOW_LOGS, isOn: false } },
      /^flow logs {2}off\n {2}flow logs cannot be had: see the log$/m,
      0,
    ],
    [
      'what is not kept and not sent, and why',
      {
        flowStore: { ...FLOW_STORE, lost: 5, error: 'no room' },
        exports: { exporters: [EXPORTER], packetLog: { lines: 0, suppressed: 0, exporters: [] } },
      },
      /kept: 30, 5 lost; siem 7 sent, 2 dropped\n {2}not kept: no room\n {2}not sent by siem: siem.example:443: HTTP 503$/m,
      0,
    ],
    ['only counters that count', {}, /PACKETS +BYTES +WHY\n5 +300 +allowed_new\n$/, 0],
  ])('says %s', async (_, change, shown, code) => {
    answered = [{ ...HEALTHY, ...change }];
    const answer = await status();
    expect(answer.output).toMatch(shown);
    expect(answer.code).toBe(code);
  });

  it('has conditions in JSON and in YAML', async () => {
    answered = [{ ...HEALTHY, conditions: [DISK] }];
    expect(JSON.parse((await status('-o', 'json')).answer).conditions).toEqual([DISK]);
    expect(parse((await status('-o', 'yaml')).answer).conditions).toEqual([DISK]);
  });

  it('reads agents that know neither conditions nor flow logs', async () => {
    const { conditions: _, repairsByCause: __, flowLogs: ___, flowStore: ____, exports: _____, ...older } = HEALTHY;
    answered = [older];
    const { output } = await status();
    expect(output).toContain('nothing is degraded, 0 repairs');
    expect(output).not.toContain('flow logs');
  });

  it('waits until it is in sync, when it is told to', async () => {
    answered = [{ ...HEALTHY, inSync: false }, { ...HEALTHY, inSync: false }, HEALTHY];
    expect((await status('--wait', '20')).code).toBe(0);
    expect(answered).toHaveLength(1);
  });

  it('ends with 4 when no agent answers', async () => {
    const { code, output } = await runCommand(['status', '--socket', join(folder, 'other.sock')]);
    expect(code).toBe(4);
    expect(output).toContain('AGENT_UNREACHABLE');
  });
});
