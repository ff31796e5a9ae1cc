import { describe, expect, it } from 'vitest';
import { AffectedCounter } from '../../../../src/analysis/staged/affected.ts';
import { DenyWatch } from '../../../../src/analysis/staged/deny-watch.ts';
import { promotionOf, stagedTraceName } from '../../../../src/analysis/staged/promotion.ts';
import { StagedReport } from '../../../../src/analysis/staged/report.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const ALLOWED = ['0|default|np:shop/web|allow|0'];
const WOULD_DENY = ['0|default|snp:shop/web|deny|-1'];
const DENIED = ['0|default|np:shop/web|deny|-1'];

describe('StagedReport', () => {
  it('counts by pair what would turn, with when it was seen and a sample', () => {
    const report = new StagedReport();
    report.add(flowLog({ enforced: ALLOWED, pending: WOULD_DENY }));
    report.add(flowLog({ enforced: ALLOWED, pending: WOULD_DENY, startTime: START + 60_000, endTime: START + 75_000 }));
    report.add(flowLog({ enforced: ALLOWED, pending: ['0|default|snp:shop/web|allow|1'] }));
    report.add(flowLog({ enforced: DENIED, action: 'deny', pending: ['0|default|snp:shop/web|allow|1'] }));
    report.add(flowLog({ enforced: ALLOWED, pending: ALLOWED }));
    const { rows, policies, totals } = report.report();
    expect(totals).toMatchObject({ flows: 5, wouldDeny: 2, wouldAllow: 1, unasked: 1 });
    expect(policies).toEqual([
      {
        policy: 'snp:shop/web',
        flows: 4,
        wouldDeny: 2,
        wouldAllow: 1,
        same: 1,
        since: START,
        until: START + 75_000,
      },
    ]);
    expect(rows[0]).toMatchObject({
      before: 'allow',
      after: 'deny',
      source: 'shop/web-5d4f-*',
      destination: 'shop/db-*',
      service: 'TCP 5432',
      flows: 2,
      packets: 36,
      bytes: 3600,
      first: START,
      last: START + 75_000,
      sample: { src: '10.0.0.1', dst: '10.0.0.2', dstPort: 5432 },
    });
  });

  it('lays what an enforced policy would decide to the staged one that let it come to that', () => {
    const report = new StagedReport();
    const pending = ['0|first|sgnp:gate|pass|0', '1|default|np:shop/other|deny|2'];
    report.add(flowLog({ enforced: ALLOWED, pending }));
    expect(report.report().rows).toMatchObject([{ policy: 'sgnp:gate', rule: 'default|np:shop/other|deny|2' }]);
  });

  it('keeps no more rows than it may, and counts the rest', () => {
    const report = new StagedReport(() => true, 1);
    for (const port of [1, 2, 3]) {
      report.add(flowLog({ enforced: ALLOWED, pending: WOULD_DENY, destination: flowEnd({ port }) }));
    }
    expect(report.report()).toMatchObject({ rows: [{ service: 'TCP 1' }], totals: { wouldDeny: 3, unlisted: 2 } });
  });
});

describe('DenyWatch', () => {
  it('counts denials by the policy and by the end of its tier, once each, and not what was denied before', () => {
    const watch = new DenyWatch(['np:shop/web'], ['default'], START);
    watch.addBefore(flowLog({ enforced: DENIED, action: 'deny', destination: flowEnd({ port: 22 }) }));
    const denied = flowLog({ enforced: DENIED, action: 'deny', packetsIn: 1, packetsOut: 0 });
    expect(watch.add(denied)).toBe(true);
    expect(watch.add(denied)).toBe(false);
    expect(watch.add({ ...denied, destination: flowEnd({ port: 22 }) })).toBe(false);
    expect(watch.add({ ...denied, endTime: START - 1 })).toBe(false);
    expect(watch.add({ ...denied, destination: flowEnd({ port: 1 }), enforced: ['0|other|gnp:else|deny|3'] })).toBe(
      false,
    );
    expect(watch.add({ ...denied, destination: flowEnd({ port: 2 }), enforced: ['0|default|gnp:zz|deny|-1'] })).toBe(
      true,
    );
    expect(watch.flows).toBe(2);
    expect(watch.denials.map(({ service }) => service)).toEqual(['TCP 5432', 'TCP 2']);
  });
});

describe('AffectedCounter', () => {
  it('counts what a policy decided, and which pairs were turned', () => {
    const counter = new AffectedCounter(['np:shop/web']);
    counter.add(flowLog({ enforced: ['0|default|pro:kns|allow|0'] }), 'before');
    counter.add(flowLog({ enforced: DENIED, action: 'deny', flowsStarted: 0, packetsIn: 4, packetsOut: 0 }), 'after');
    const { policies, turned, total } = counter.result();
    expect(policies).toMatchObject([
      { before: { allowed: { flows: 0 } }, after: { denied: { flows: 4, packets: 4 } } },
    ]);
    expect(total.before.allowed.flows).toBe(1);
    expect(turned).toMatchObject([{ from: 'allow', to: 'deny', flows: 4 }]);
  });
});

describe('promotionOf', () => {
  it('makes the enforced policy of a staged one, or its deletion', () => {
    const metadata = { name: 'web', namespace: 'shop', labels: { a: 'b' }, uid: 'x', resourceVersion: '3' };
    const spec = { stagedAction: 'Set', selector: 'all()', ingress: [] };
    expect(promotionOf('StagedNetworkPolicy', { metadata, spec })).toEqual({
      action: 'set',
      type: 'NetworkPolicy',
      namespace: 'shop',
      name: 'web',
      manifest: {
        apiVersion: 'projectcalico.org/v3',
        kind: 'NetworkPolicy',
        metadata: { name: 'web', namespace: 'shop', labels: { a: 'b' } },
        spec: { selector: 'all()', ingress: [] },
      },
    });
    expect(
      promotionOf('StagedGlobalNetworkPolicy', { metadata: { name: 'g' }, spec: { stagedAction: 'Delete' } }),
    ).toEqual({
      action: 'delete',
      type: 'GlobalNetworkPolicy',
      name: 'g',
    });
    expect(() => promotionOf('StagedNetworkPolicy', {})).toThrow(/has no name/);
    expect(stagedTraceName('StagedKubernetesNetworkPolicy', 'a', 'b')).toBe('sknp:a/b');
  });
});
