import { describe, expect, it } from 'vitest';
import { loadManifests, openEngine } from '../../../src/agent/offline.ts';
import type { Fields } from '../../../src/analysis/flow-logs/recorded-flow.ts';
import { parseRecord } from '../../../src/analysis/flow-logs/records.ts';
import type { View } from '../../../src/analysis/outcome.ts';
import { type PolicySide, Simulation, type SimulationOptions } from '../../../src/analysis/simulate.ts';
import type { World } from '../../../src/model/world.ts';
import { worldOf } from '../../support/worlds/questions.ts';

function sideOf(world: World, view: View = 'enforced'): PolicySide {
  const engine = openEngine('tables', world, '*');
  return { world, view, judge: (flow) => engine.evaluate(flow) };
}

const shop = sideOf(loadManifests('examples/three-tier/manifests').world);
const WEB_TO_DB = { src: '10.65.0.10', dst: '10.65.0.30', protocol: 'TCP', dstPort: 5432 };
const WEB_TO_API = { src: '10.65.0.10', dst: '10.65.0.20', protocol: 'TCP', dstPort: 9000 };
const NET_TO_WEB = { src: '203.0.113.10', dst: '10.65.0.10', protocol: 'TCP', dstPort: 8080 };

function simulate(records: readonly Fields[], options: Partial<SimulationOptions> = {}) {
  const simulation = new Simulation({ after: shop, maxRows: 1000, ...options });
  for (const record of records) {
    const flow = parseRecord(record, undefined);
    if ('skipped' in flow) simulation.skip(flow.skipped);
    else simulation.add(flow);
  }
  const { totals, rows, unresolved } = simulation.report();
  const { flows, ...rest } = totals;
  const counts = Object.fromEntries(Object.entries(rest).filter(([, count]) => count > 0));
  const { unlisted: _, ...parts } = rest;
  expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(flows);
  const lines = rows.map((row) =>
    [row.source, row.destination, row.service, row.scope, `${row.before}>${row.after}`, row.flows].join(' '),
  );
  return { counts, lines, rows, unresolved };
}

/** Pods of two controllers in namespace `a`, policy for those labelled role=open. */
function podWorld(): World {
  const pod = (name: string, address: string, labels: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'a', labels },
    spec: { nodeName: 'n', containers: [] },
    status: { podIP: address, podIPs: [{ ip: address }] },
  });
  return worldOf([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } },
    pod('web-6d4-aaaaa', '10.0.0.1', { app: 'web', 'pod-template-hash': '6d4', role: 'open' }),
    pod('web-6d4-bbbbb', '10.0.0.2', { app: 'web', 'pod-template-hash': '6d4' }),
    pod('client', '10.0.0.9', {}),
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { name: 'web', namespace: 'a' },
      spec: {
        selector: "app == 'web'",
        ingress: [
          { action: 'Allow', protocol: 'TCP', source: { nets: ['10.0.0.9/32', '198.51.100.0/24'] } },
          { action: 'Deny' },
        ],
      },
    },
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { name: 'early', namespace: 'a' },
      spec: { order: 1, selector: "app == 'web' && !has(role)", ingress: [{ action: 'Deny' }] },
    },
  ]);
}

const calico = (more: Fields): Fields => ({
  source_name: 'client',
  source_namespace: 'a',
  dest_name: 'web-6d4-*',
  dest_namespace: 'a',
  protocol: 'tcp',
  dest_port: 80,
  reporter: 'Dst',
  action: 'Allow',
  ...more,
});

describe('Simulation', () => {
  it('compares recorded verdicts with the policies', () => {
    const { counts, lines } = simulate([
      { ...NET_TO_WEB, verdict: 'allow', count: 3 },
      { ...WEB_TO_DB, verdict: 'allow' },
      { ...WEB_TO_API, verdict: 'deny' },
    ]);
    expect(counts).toEqual({ changed: 2, unchanged: 3 });
    expect(lines).toEqual([
      'shop/web-1 shop/api-1 TCP 9000 flow deny>allow 1',
      'shop/web-1 shop/db-1 TCP 5432 flow allow>deny 1',
      'public network shop/web-1 TCP 8080 flow allow>allow 3',
    ]);
  });

  it('names what decided, with its place, and a flow to ask about', () => {
    const [row] = simulate([{ ...NET_TO_WEB, verdict: 'deny' }]).rows;
    expect(row?.decidedBy).toEqual([
      { direction: 'ingress', rule: 'default|np:shop/web|allow|0', where: '30-application.yaml:14' },
    ]);
    expect(row?.example).toEqual({ ...NET_TO_WEB, srcPort: 32768 });
  });

  it('lists flows without a recorded verdict, and counts none as changed', () => {
    const { counts, lines } = simulate([WEB_TO_DB]);
    expect(counts).toEqual({ uncompared: 1 });
    expect(lines).toEqual(['shop/web-1 shop/db-1 TCP 5432 flow null>deny 1']);
  });

  it('compares the pending verdict with the enforced one when nothing was recorded', () => {
    const after: PolicySide = { ...shop, view: 'pending' };
    const { counts, lines } = simulate([NET_TO_WEB, WEB_TO_API], { after, fallback: shop });
    expect(counts).toEqual({ changed: 1, unchanged: 1 });
    expect(lines[0]).toBe('public network shop/web-1 TCP 8080 flow allow>deny 1');
  });

  it('compares two directories whatever was recorded', () => {
    const before = sideOf(worldOf([]));
    const open = sideOf(podWorld());
    const { counts } = simulate([{ ...WEB_TO_DB, verdict: 'allow' }], { before });
    expect(counts).toEqual({ changed: 1 });
    const same = simulate([{ src: '10.0.0.9', dst: '10.0.0.1', protocol: 'TCP', dstPort: 1, verdict: 'deny' }], {
      after: open,
      before: open,
    });
    expect(same.counts).toEqual({ unchanged: 1 });
    expect(same.rows[0]?.wasDecidedBy).toEqual(same.rows[0]?.decidedBy);
  });

  it('knows flows in which no workload takes part', () => {
    expect(simulate([{ ...NET_TO_WEB, dst: '192.0.2.1', verdict: 'allow' }]).counts).toEqual({ outside: 1 });
  });

  describe('of reports by both ends', () => {
    const web = { source_name: 'web-1', source_namespace: 'shop', dest_namespace: 'shop', protocol: 'tcp' };
    const toApi = { ...web, dest_name: 'api-1', dest_port: 9000 };
    const toDb = { ...web, dest_name: 'db-1', dest_port: 5432 };

    it('counts a flow once, as the destination tells it', () => {
      const source = { ...toApi, reporter: 'Src', action: 'Allow' };
      const destination = { ...toApi, reporter: 'Dst', action: 'Deny' };
      for (const records of [
        [source, destination],
        [destination, source],
      ]) {
        const { counts, lines } = simulate(records);
        expect(counts).toEqual({ changed: 1, reportedTwice: 1 });
        expect(lines).toEqual(['shop/web-1 shop/api-1 TCP 9000 flow deny>allow 1']);
      }
    });

    it('compares only the source when the destination never reports', () => {
      const { lines } = simulate([{ ...toApi, reporter: 'Src', action: 'Allow' }]);
      expect(lines).toEqual(['shop/web-1 shop/api-1 TCP 9000 egress allow>allow 1']);
    });

    it('takes a denial of the source as what became of the flow', () => {
      const { lines } = simulate([{ ...toDb, reporter: 'Src', action: 'Deny' }]);
      expect(lines).toEqual(['shop/web-1 shop/db-1 TCP 5432 flow deny>deny 1']);
    });
  });

  describe('of names', () => {
    const after = sideOf(podWorld());
    const run = (record: Fields) => simulate([record], { after });

    it('judges every member of an aggregate, and says when they differ', () => {
      const { counts, lines, rows } = run(calico({}));
      expect(counts).toEqual({ changed: 1 });
      expect(lines).toEqual(['a/client a/web TCP 80 flow allow>mixed 1']);
      expect(rows[0]?.example).toMatchObject({ dst: '10.0.0.2' });
    });

    it('finds members of another replica set by their labels', () => {
      const labels = 'app=web | pod-template-hash=old | role=open';
      const { lines } = run(calico({ dest_name: 'web-old-*', dest_labels: labels }));
      expect(lines).toEqual(['a/client a/web TCP 80 flow allow>allow 1']);
    });

    it('chooses the member that has the recorded address', () => {
      const { lines } = run(calico({ dest_ip: '10.0.0.2', action: 'Deny' }));
      expect(lines).toEqual(['a/client a/web TCP 80 flow deny>deny 1']);
    });

    it('counts and lists workloads that are not there', () => {
      const { counts, unresolved } = run(calico({ source_name: 'gone-*', source_type: 'wep' }));
      expect(counts).toEqual({ unresolved: 1 });
      expect(unresolved).toEqual([{ end: 'a/gone-*', flows: 1 }]);
    });

    it('asks of a network every part that policy tells apart', () => {
      const { lines } = run(calico({ source_name: 'pub', source_namespace: '-', dest_name: 'web-6d4-aaaaa' }));
      expect(lines).toEqual(['public network a/web TCP 80 flow allow>mixed 1']);
      const inside = run(calico({ source_name: 'pvt', source_namespace: '-', action: 'Deny' }));
      expect(inside.lines).toEqual(['private network a/web TCP 80 flow deny>deny 1']);
    });

    it('says when the ends have no address family in common', () => {
      const { counts, unresolved } = run(calico({ protocol: 'icmp6' }));
      expect(counts).toEqual({ unresolved: 1 });
      expect(unresolved[0]?.end).toContain('no address family in common');
    });
  });

  it('keeps no more rows than it may, and says how many flows have none', () => {
    const records = [80, 81, 82, 83].map((dstPort) => ({ ...WEB_TO_DB, dstPort, verdict: 'deny', count: 2 }));
    const { counts, lines } = simulate(records, { maxRows: 3 });
    expect(counts).toEqual({ unchanged: 8, unlisted: 2 });
    expect(lines).toHaveLength(3);
  });
});
