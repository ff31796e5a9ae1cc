// The two ways a filter is applied let the same flows through: as a function on flows that come, as SQL on flows that are stored.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FlowDatabase } from '../../../../src/agent/flows/flow-database.ts';
import { prefixKeys } from '../../../../src/observe/flow-query/address-key.ts';
import type { FlowFilter, FlowSide } from '../../../../src/observe/flow-query/filter.ts';
import { policiesOf } from '../../../../src/observe/flow-query/log-texts.ts';
import { predicateOf } from '../../../../src/observe/flow-query/predicate.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { anyFlowLog, filterNames, flowLog } from '../../../support/flow-logs.ts';

const side = fc.constantFrom<FlowSide>('source', 'destination');

/** A name that is there, with a part of it replaced by a star, or something else. */
const patternOf = (known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...known),
    fc
      .tuple(fc.constantFrom(...known), fc.nat(12), fc.nat(12))
      .map(([text, a, b]) => `${text.slice(0, Math.min(a, b))}*${text.slice(Math.max(a, b))}`),
    fc.string({
      unit: fc.constantFrom('*', 'a', 'b', '%', '_', '\\', '.', '[', '|', '\u001f', '-', "'"),
      maxLength: 6,
    }),
  );

const policies = [
  ...new Set(filterNames.traces.flatMap((entry) => policiesOf(flowLog({ enforced: [entry], pending: [] })))),
];
const prefixes = [
  '10.0.0.0/8',
  '10.0.0.0/31',
  '10.0.0.1',
  '0.0.0.0/0',
  '192.0.2.0/29',
  '2001:db8::/33',
  '::/0',
  'fe80::/10',
];

const condition: fc.Arbitrary<FlowFilter> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    field: fc.constantFrom('node', 'protocol', 'reason', 'state', 'action', 'reporter', 'pending', 'service'),
    pattern: patternOf(['node-1', 'TCP', 'drop_ingress_policy', 'new', 'allow', 'deny', 'src', 'shop/db', '']),
  }),
  fc.record({ kind: fc.constant('namespace' as const), side, pattern: patternOf(filterNames.namespaces) }),
  fc.record(
    {
      kind: fc.constant('name' as const),
      side,
      pattern: patternOf([...filterNames.names, 'web-*']),
      alike: fc.constantFrom('web-*', 'db*', '*'),
    },
    { requiredKeys: ['kind', 'side', 'pattern'] },
  ),
  fc.record(
    {
      kind: fc.constant('label' as const),
      side,
      key: fc.constantFrom(...filterNames.keys, 'a', 'ap'),
      value: fc.constantFrom(...filterNames.values, 'we'),
    },
    { requiredKeys: ['kind', 'side', 'key'] },
  ),
  fc.tuple(side, fc.constantFrom(...prefixes)).map(([end, text]) => ({
    kind: 'address' as const,
    side: end,
    ...(prefixKeys(text) as { low: string; high: string }),
  })),
  fc.record({ kind: fc.constant('policy' as const), pattern: patternOf(policies) }),
  fc
    .tuple(
      fc.constantFrom('bytes', 'packets', 'sourcePort', 'destinationPort'),
      fc.constantFrom(0, 1, 53, 81, 2 ** 41),
      fc.constantFrom(-1, 0, 80, 443, Number.MAX_SAFE_INTEGER),
    )
    .map(([field, low, high]) => ({ kind: 'number', field, low, high }) as FlowFilter),
);

const filter = fc.letrec<{ readonly filter: FlowFilter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    condition,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('filter'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), operand: tie('filter') }),
  ),
})).filter;

let directory: string;
let store: FlowDatabase;
let logs: readonly FlowLog[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tortie-filters-'));
  const retention = { days: 1, bytes: 2 ** 30 };
  store = await FlowDatabase.open({ directory: join(directory, 'flows'), retention, log: () => undefined });
  logs = fc.sample(anyFlowLog, { numRuns: 400 });
  await store.append(logs);
}, 30_000);

afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

it('lets the same flows through as a function and as SQL', async () => {
  let [kept, partly] = [0, 0];
  await fc.assert(
    fc.asyncProperty(filter, async (asked) => {
      const holds = predicateOf(asked);
      const expected = logs.flatMap((log, index) => (holds(log) ? [index + 1] : []));
      const found = await store.list({ filter: asked, sort: 'time', limit: 10_000 });
      expect(found.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual(expected);
      kept += expected.length;
      if (expected.length > 0 && expected.length < logs.length) partly += 1;
    }),
    { numRuns: 300 },
  );
  // Filters that let all or nothing through would prove nothing.
  expect(partly).toBeGreaterThan(50);
  expect(kept).toBeGreaterThan(1000);
}, 60_000);
