// The three-tier example's network without its policy: every row of its truth table is open. So each drop is the policy's doing.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadExample } from '../../tools/lab/example.ts';
import { HOST, Lab } from '../../tools/lab/namespaces.ts';
import { Peer } from '../../tools/lab/peer.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';

const example = loadExample(join(import.meta.dirname, '../../examples/three-tier'));
let lab: Lab;
const peers = new Map<string, Peer>();

beforeAll(async () => {
  lab = await Lab.create(example.lab);
  const names = [
    HOST,
    ...example.lab.workloads.map((one) => one.name),
    ...(example.lab.outsiders ?? []).map((one) => one.name),
  ];
  for (const name of names) peers.set(name, await Peer.start(lab, name));
  for (const [name, list] of example.listeners) {
    for (const { transport, port } of list) await peers.get(name)?.listen(transport, [port]);
  }
});

afterAll(async () => {
  await lab?.close();
});

it('lets every probe of the truth table through while no policy is enforced', async () => {
  const cases = example.cases.map((one) => ({ ...one, expected: ['open' as const] }));
  expect(cases).toHaveLength(2 * 29);
  expect(describeDisagreements(await truthTable(peers, cases))).toEqual([]);
});
