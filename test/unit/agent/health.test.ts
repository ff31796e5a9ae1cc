// The conditions that come of what the rest of the agent is: here, flows that are not kept.
import { describe, expect, it } from 'vitest';
import type { FlowStoreStatus } from '../../../src/agent/flows/flow-store-service.ts';
import { type FlowKeepers, Health } from '../../../src/agent/health.ts';
import { Logger } from '../../../src/base/log.ts';

const STORE: FlowStoreStatus = {
  mode: 'aggregated',
  handedOver: 5,
  lost: 2,
  notWritten: 0,
  overflowed: 0,
  waiting: 3,
  store: null,
  error: null,
};

describe('the health of an agent', () => {
  function conditionsOf(store: Partial<FlowStoreStatus>, failure?: string): string[] {
    const keepers = {
      logs: { failure },
      store: { status: (): FlowStoreStatus => ({ ...STORE, ...store }) },
    } satisfies FlowKeepers;
    const dataplane = { restore: () => [], hostProblem: undefined };
    const log = new Logger({ level: 'error', write: () => undefined });
    const health = new Health(dataplane as never, '/', log, () => keepers);
    health.audit(new Map());
    return health
      .status()
      .conditions.flatMap(({ reason, message }) => (reason === 'FlowsNotKept' ? [`${reason}: ${message}`] : []));
  }

  it('says why flows are not kept', () => {
    expect(conditionsOf({ error: 'spawn EAGAIN' })).toEqual([
      'FlowsNotKept: the store of flows does not take them: spawn EAGAIN; 3 wait, 2 are lost',
    ]);
    expect(conditionsOf({ mode: 'off', error: null }, 'no room for programs')).toEqual([
      'FlowsNotKept: there are no flow logs: no room for programs',
    ]);
  });

  it('has nothing to say where they are, or are not to be', () => {
    expect(conditionsOf({})).toEqual([]);
    expect(conditionsOf({ mode: 'off', error: 'of before' })).toEqual([]);
  });
});
