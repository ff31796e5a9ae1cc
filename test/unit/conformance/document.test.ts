// docs/conformance.md says how many cases and cells there are: so many there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cluster, ConformanceCase } from '../../support/conformance/case.ts';
import { podsIn, statesOf } from '../../support/conformance/state.ts';
import { CLUSTER_NETWORK_POLICY, CYCLONUS, casesOf, KUBERNETES } from '../../support/conformance/suites.ts';

const DOCUMENT = join(import.meta.dirname, '../../../docs/conformance.md');
const SUITES = [KUBERNETES, CYCLONUS, CLUSTER_NETWORK_POLICY];
const FAMILIES = 2;

interface Counts {
  readonly cases: number;
  readonly tables: number;
  readonly cells: number;
}

function count(cluster: Cluster, cases: readonly ConformanceCase[]): Counts {
  const states = cases.flatMap((one) => statesOf(cluster, one));
  const cells = states.map(({ manifests }) => {
    const pods = podsIn(manifests).length;
    return pods * (pods - 1) * cluster.ports.length * FAMILIES;
  });
  return { cases: cases.length, tables: states.length, cells: cells.reduce((sum, one) => sum + one, 0) };
}

function row(name: string, { cases, tables, cells }: Counts): string {
  return `| ${name} | ${cases} | ${tables} | ${cells.toLocaleString('en')} |`;
}

describe('the document of the conformance suites', () => {
  const text = readFileSync(DOCUMENT, 'utf8');

  it.each(SUITES)('has the numbers of suite $name', (suite) => {
    expect(text).toContain(row(suite.name, count(suite.cluster, casesOf(suite))));
  });

  it.each(SUITES)('has the numbers of each group of suite $name', ({ cluster, groups }) => {
    for (const { name, cases } of groups) expect(text).toContain(row(name, count(cluster, cases)));
  });

  it('speaks of cases that have names of their own', () => {
    for (const suite of SUITES) {
      const names = casesOf(suite).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
