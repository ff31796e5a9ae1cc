import { describe, expect, it } from 'vitest';
import { toWhiskerFlow, whiskerFilter, whiskerMatches } from '../../../../src/observe/export/whisker.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { FLOW_LOG } from '../../../support/export/flow-logs.ts';

const log: FlowLog = {
  ...FLOW_LOG,
  action: 'deny',
  source: { ...FLOW_LOG.source, labels: { a: '1', b: '2' } },
  destination: { ...FLOW_LOG.destination, type: 'net', namespace: '', aggregatedName: 'pub', labels: {} },
  enforced: ['0|security|gnp:quarantine|pass|0', '1|default|np:shop/web|deny|-1'],
  pending: ['0|default|snp:shop/next|allow|3'],
};

describe('toWhiskerFlow', () => {
  it('has the fields of the backend', () => {
    expect(toWhiskerFlow(log)).toEqual({
      start_time: '2026-01-02T03:04:05.000Z',
      end_time: '2026-01-02T03:04:20.000Z',
      action: 'Deny',
      source_name: 'web-*',
      source_namespace: 'shop',
      source_labels: 'a=1 | b=2',
      dest_name: 'pub',
      dest_namespace: '-',
      dest_labels: '',
      protocol: 'tcp',
      dest_port: 5432,
      reporter: 'Src',
      policies: expect.anything(),
      packets_in: 3,
      packets_out: 4,
      bytes_in: 300,
      bytes_out: 400,
    });
  });

  it('lays the end of a tier to the policy that brought it about', () => {
    const { enforced, pending } = toWhiskerFlow(log).policies;
    expect(enforced[0]).toMatchObject({
      kind: 'GlobalNetworkPolicy',
      name: 'quarantine',
      action: 'Pass',
      trigger: null,
    });
    expect(enforced[1]).toMatchObject({
      kind: 'EndOfTier',
      tier: 'default',
      rule_index: -1,
      policy_index: 1,
      trigger: { kind: 'CalicoNetworkPolicy', namespace: 'shop', name: 'web' },
    });
    expect(pending[0]).toMatchObject({ kind: 'StagedNetworkPolicy', namespace: 'shop', name: 'next', rule_index: 3 });
  });

  it('says nothing of what is no trace, and keeps profiles as they are', () => {
    const enforced = ['nonsense', '0|__PROFILE__|pro:kns.web|allow|0', '1|__PROFILE__|pro:__PROFILE__|deny|-1'];
    expect(toWhiskerFlow({ ...log, enforced }).policies.enforced.map(({ kind }) => kind)).toEqual([
      'Profile',
      'Profile',
    ]);
  });
});

describe('whiskerMatches', () => {
  const holds = (filter: unknown) => whiskerMatches(toWhiskerFlow(log), whiskerFilter.parse(filter));

  it.each([
    [{}, true],
    [{ source_names: [{ value: 'web-*', type: 'Exact' }] }, true],
    [{ source_names: [{ value: 'web', type: 'Exact' }] }, false],
    [{ source_names: [{ value: 'WEB', type: 'Fuzzy' }] }, true],
    [{ source_names: [{ value: 'x' }, { value: 'web-*' }] }, true],
    [{ source_names: [{ value: 'web-*' }], dest_ports: [{ value: 80 }] }, false],
    [{ dest_namespaces: [{ value: '-' }], dest_ports: [{ value: 5432 }], protocols: [{ value: 'tcp' }] }, true],
    [{ actions: ['Allow'] }, false],
    [{ actions: ['Allow', 'Deny'] }, true],
    [{ pending_actions: ['Allow'] }, true],
    [{ pending_actions: ['Deny'] }, false],
    [{ reporter: 'Dst' }, false],
    [{ policies: [{ kind: 'EndOfTier', tier: { value: 'default' } }] }, true],
    [{ policies: [{ kind: 'CalicoNetworkPolicy', name: { value: 'web' }, namespace: { value: 'shop' } }] }, true],
    [{ policies: [{ name: { value: 'web' }, action: 'Allow' }] }, false],
  ])('%j: %s', (filter, expected) => {
    expect(holds(filter)).toBe(expected);
  });

  it('refuses what is no filter', () => {
    for (const wrong of [{ nonsense: [] }, { actions: ['allow'] }, { source_names: ['a'] }, [], null]) {
      expect(whiskerFilter.safeParse(wrong).success).toBe(false);
    }
  });
});
