// The conditions that come of what the rest of the agent is: here, flows that are not kept.
import { describe, expect, it } from 'vitest';
import type { FlowStoreStatus } from '../../../src/agent/flows/flow-store-service.ts';
import { type FlowKeepers, Health, type StoreKeeper } from '../../../src/agent/health.ts';
import { DataplaneError } from '../../../src/base/errors.ts';
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

const NO_STORE: StoreKeeper = { notInForce: [], status: () => null };

describe('the health of an agent', () => {
  function conditionsOf(store: Partial<FlowStoreStatus>, failure?: string): string[] {
    const keepers = {
      logs: { failure },
      store: { status: (): FlowStoreStatus => ({ ...STORE, ...store }) },
    } satisfies FlowKeepers;
    const dataplane = { restore: () => [], hostProblem: undefined };
    const log = new Logger({ level: 'error', write: () => undefined });
    const health = new Health(dataplane as never, '/', log, () => keepers, NO_STORE);
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

  it('says what of the store is not in force, and what could not be undone', () => {
    const dataplane = { restore: () => [], hostProblem: undefined };
    const log = new Logger({ level: 'error', write: () => undefined });
    const fault = { operation: 'read', target: 'a', field: 'spec.ordr' };
    const stored: StoreKeeper = {
      notInForce: [
        { id: 'Tier//a', revision: 3, errors: [new DataplaneError('UNKNOWN_FIELD', 'is not known', fault)] },
      ],
      status: () => ({
        revision: 5,
        objects: 2,
        pending: { revision: 4, expires: '', expiresMonotonicMs: 0, bootId: '' },
        undoError: 'a has the address',
      }),
    };
    const keepers = { logs: { failure: undefined }, store: { status: () => STORE } };
    const health = new Health(dataplane as never, '/', log, () => keepers, stored);
    health.audit(new Map());
    const found = new Map(health.status().conditions.map(({ reason, message }) => [reason, message]));
    expect(found.get('StoredNotInForce')).toMatch(/^1 objects of the store, first Tier\/\/a: .*is not known/);
    expect(found.get('UndoFailed')).toBe(
      'revision 4 was not confirmed in time and cannot be undone: a has the address',
    );
  });

  it('has nothing to say where they are, or are not to be', () => {
    expect(conditionsOf({})).toEqual([]);
    expect(conditionsOf({ mode: 'off', error: 'of before' })).toEqual([]);
  });
});
