import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { buildMatrix, type Matrix, type MatrixService } from '../../../src/analysis/matrix.ts';
import { type MatrixEnd, MatrixEnds } from '../../../src/analysis/matrix-ends.ts';
import { viewOf } from '../../../src/analysis/outcome.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TableEvaluator } from '../../../src/tables/evaluator.ts';
import { newSeed, questionOf, worldOf } from '../../support/worlds/questions.ts';

const TCP_80: MatrixService = { protocol: 6, port: 80 };

function matrixOf(world: World, service: MatrixService): { matrix: Matrix; ends: readonly MatrixEnd[] } {
  const desired = desiredStateOf(world, '*');
  const compiler = new TableCompiler();
  const image = compiler.compile(desired);
  const evaluator = new TableEvaluator(desired, compiler, image);
  const source = new MatrixEnds(world, compiler, image);
  const ends = [...source.workloads(desired, new Set()), ...source.networkSets(new Set()), source.outside().end];
  return { matrix: buildMatrix(ends, ends, service, (flow) => evaluator.evaluate(flow)), ends };
}

/** What the reference evaluator says of two ends: `allow`, `deny`, `mixed` or `none`. */
function verdictBetween(from: MatrixEnd, to: MatrixEnd, port: number, judge: ReferenceEvaluator, isPending: boolean) {
  const answers = new Set<string>();
  for (const source of from.addresses) {
    for (const destination of to.addresses) {
      if (source.family !== destination.family) continue;
      const ports = { sourcePort: 32768, destinationPort: port };
      const verdict = judge.evaluate({ source, destination, protocol: 6, ...ports, icmpType: 0, icmpCode: 0 });
      if (verdict.egress === null && verdict.ingress === null) continue;
      answers.add(viewOf(verdict, isPending ? 'pending' : 'enforced').verdict);
    }
  }
  const [only = 'none'] = answers;
  return answers.size > 1 ? 'mixed' : only;
}

const pod = (name: string, address: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', labels },
  spec: { nodeName: 'n', containers: [] },
  status: { podIPs: [{ ip: address }] },
});
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
const webFromClients = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'a' },
  spec: { selector: "app == 'web'", ingress: [{ action: 'Allow', source: { selector: "app == 'client'" } }] },
};

describe('buildMatrix', () => {
  it('says of every pair what the reference evaluator says, whatever it groups', () => {
    const seed = newSeed('matrix');
    let worlds = 0;
    for (let index = 0; worlds < 12; index++) {
      const world = worldOf(questionOf(seed, index, 0).manifests);
      const judge = new ReferenceEvaluator(world);
      const { matrix, ends } = matrixOf(world, TCP_80);
      const named = new Map(ends.map((end) => [`${end.kind} ${end.name}`, end]));
      // Members are told apart by name here, which pods with several interfaces share.
      if (named.size < ends.length) continue;
      worlds += 1;
      const seen = new Set<string>();
      matrix.rows.forEach((row, rowIndex) => {
        matrix.columns.forEach((column, columnIndex) => {
          const cell = matrix.cells[rowIndex]?.[columnIndex];
          for (const from of row.members.map((name) => named.get(`${row.kind} ${name}`) as MatrixEnd)) {
            for (const to of column.members.map((name) => named.get(`${column.kind} ${name}`) as MatrixEnd)) {
              const pair = `world ${index}: ${from.name} -> ${to.name}`;
              seen.add(pair);
              expect(cell?.verdict, pair).toBe(verdictBetween(from, to, 80, judge, false));
              expect(cell?.pending ?? cell?.verdict, pair).toBe(verdictBetween(from, to, 80, judge, true));
            }
          }
        });
      });
      expect(seen.size).toBe(named.size ** 2);
    }
  });

  it('shows pods of one controller that behave alike as one, and counts them', () => {
    const web = Array.from({ length: 12 }, (_, index) =>
      pod(`web-6d4-${index + 10000}`, `10.0.0.${index + 1}`, { app: 'web', 'pod-template-hash': '6d4' }),
    );
    const clients = [pod('client-1', '10.0.1.1', { app: 'client' }), pod('client-2', '10.0.1.2', { app: 'client' })];
    const { matrix } = matrixOf(worldOf([namespace, webFromClients, ...web, ...clients]), TCP_80);
    expect(matrix.rows.map(({ label }) => label)).toEqual(['a/client-1, a/client-2', 'a/web (12 pods)', 'world']);
    const verdicts = matrix.cells.map((row) => row.map(({ verdict }) => verdict).join(' '));
    expect(matrix.columns.map(({ label }) => label)).toEqual(['a/client-1, a/client-2', 'a/web (12 pods)', 'world']);
    expect(verdicts).toEqual(['allow allow allow', 'allow deny allow', 'allow deny none']);
  });

  it('says which families differ', () => {
    const dual = pod('dual', '10.0.0.1', { app: 'web' });
    dual.status.podIPs.push({ ip: 'fd00::1' });
    const policy = {
      ...webFromClients,
      spec: { selector: "app == 'web'", ingress: [{ action: 'Allow', source: { nets: ['0.0.0.0/0'] } }] },
    };
    const { matrix } = matrixOf(worldOf([namespace, policy, dual]), TCP_80);
    const fromWorld = matrix.cells[matrix.rows.findIndex(({ kind }) => kind === 'world')]?.[0];
    expect(fromWorld).toMatchObject({ verdict: 'mixed', families: { ipv4: 'allow', ipv6: 'deny' } });
  });

  it('says what staged policies would change, and by which rule', () => {
    const staged = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'StagedNetworkPolicy',
      metadata: { name: 'close', namespace: 'a' },
      spec: { selector: 'all()', ingress: [{ action: 'Deny' }] },
    };
    const { matrix } = matrixOf(worldOf([namespace, staged, pod('one', '10.0.0.1', {})]), TCP_80);
    expect(matrix.cells[1]?.[0]).toMatchObject({
      verdict: 'allow',
      pending: 'deny',
      decidedBy: [{ direction: 'ingress', rule: '__PROFILE__|pro:kns.a|allow|0' }],
      pendingDecidedBy: [{ direction: 'ingress', rule: 'default|snp:a/close|deny|0' }],
    });
  });

  it('asks with the echo request of each family', () => {
    const { matrix } = matrixOf(worldOf([namespace, pod('one', '10.0.0.1', {})]), { protocol: 'ping', port: 0 });
    expect(matrix.cells[0]?.[0]?.verdict).toBe('allow');
  });
});
