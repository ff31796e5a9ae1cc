import { describe, expect, it } from 'vitest';
import { FLOW_CHECKS } from '../../../../src/agent/doctor/flow-checks.ts';
import type { AgentStatus } from '../../../../src/agent/status.ts';
import { machineWith } from '../../../support/agent/machine-facts.ts';

const LOGS = { isOn: true, isWanted: true, intervalSeconds: 5, records: 0, isSampling: false };
const STORE = { mode: 'aggregated', handedOver: 0, lost: 0, store: null, error: null };

function judge(status: object | undefined) {
  const facts =
    status === undefined ? undefined : ({ flowLogs: LOGS, flowStore: STORE, exports: null, ...status } as unknown);
  return FLOW_CHECKS[0]?.run(machineWith({ status: async () => facts as AgentStatus | undefined }));
}

const exporters = (...errors: readonly (string | undefined)[]) => ({
  exports: {
    exporters: errors.map((error, index) => ({ exporter: `siem-${index}`, error })),
    packetLog: { exporters: [{ exporter: 'journald' }] },
  },
});

describe('the check of flow logs', () => {
  it.each<[string, object | undefined, string, RegExp]>([
    ['nobody answers', undefined, 'skip', /no agent/],
    ['an agent of before answers', { flowLogs: undefined }, 'skip', /no agent/],
    ['they are off', { flowLogs: { ...LOGS, isOn: false, isWanted: false } }, 'skip', /off/],
    ['all is well', exporters(undefined), 'ok', /every 5 s, kept: aggregated, sent by siem-0, journald/],
    ['they could not be had', { flowLogs: { ...LOGS, isOn: false } }, 'warn', /not counted/],
    ['they are not kept', { flowStore: { ...STORE, error: 'no room' } }, 'warn', /not kept: no room/],
    ['a receiver takes nothing', exporters(undefined, 'refused'), 'warn', /nothing is sent to siem-1: refused/],
  ])('where %s', async (_, status, level, found) => {
    expect(await judge(status)).toMatchObject({ level, found: expect.stringMatching(found) });
  });
});
