// Every truth table of every suite on real sockets, with the agent running: policies change by edits of its manifests.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConformanceLab } from '../support/conformance/conformance-lab.ts';
import { networkPolicy } from '../support/conformance/network-policy.ts';
import { podsIn, statesOf } from '../support/conformance/state.ts';
import { CLUSTER_NETWORK_POLICY, CYCLONUS, KUBERNETES } from '../support/conformance/suites.ts';
import { truthCells } from '../support/conformance/truth.ts';
import { LATE_PODS, XYZ } from '../support/conformance/xyz-cluster.ts';

const GROVE = CLUSTER_NETWORK_POLICY.cluster;
const counts = { tables: 0, cells: 0 };
let lab: ConformanceLab;

beforeAll(async () => {
  lab = await ConformanceLab.create([
    { pods: [...XYZ.pods, ...LATE_PODS], ports: XYZ.ports },
    { pods: GROVE.pods, ports: GROVE.ports },
  ]);
});

afterAll(async () => {
  await lab?.close();
  console.info(`conformance: ${counts.tables} truth tables, ${counts.cells} cells on real sockets`);
});

describe.each([KUBERNETES, CYCLONUS, CLUSTER_NETWORK_POLICY])('$name', ({ cluster, groups }) => {
  describe.each(groups)('$name', ({ cases }) => {
    it.each(cases)('$name', async (one) => {
      for (const { manifests, expect: rows } of statesOf(cluster, one)) {
        const cells = truthCells(rows, podsIn(manifests), cluster.ports);
        await lab.enforce(manifests);
        expect(await lab.disagreements(cells)).toEqual([]);
        counts.tables += 1;
        counts.cells += cells.length;
      }
    });
  });
});

describe('a pod that asks itself', () => {
  // Kubernetes leaves open what policy says of it: the packets never leave the pod.
  it('is answered whatever policy says', async () => {
    const closed = XYZ.namespaces.map(({ metadata }) =>
      networkPolicy(metadata.name, 'deny', { ingress: [], egress: [] }),
    );
    const manifests = [...XYZ.namespaces, ...XYZ.pods, ...closed];
    await lab.enforce(manifests);
    expect(await lab.disagreements(truthCells(['deny * -> *'], podsIn(manifests), XYZ.ports))).toEqual([]);
    expect(await lab.closedToThemselves(XYZ)).toEqual([]);
  });
});
