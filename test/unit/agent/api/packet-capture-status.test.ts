// The status of a PacketCapture, which is made when somebody asks and kept nowhere.
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';

const PLACE = { type: 'PacketCapture', namespace: 'lab' } as const;
const inFile = `
apiVersion: projectcalico.org/v3
kind: PacketCapture
metadata: {name: written, namespace: lab}
spec: {startTime: '2999-01-01T00:00:00Z'}
`;

let agent: KernelLessAgent;
let client: ResourceClient;

beforeEach(async () => {
  agent = await KernelLessAgent.start({ manifests: { 'capture.yaml': inFile } });
  client = new ResourceClient(agent.options.socket);
});
afterEach(() => agent.end());

const capture = (name: string, spec: object = {}, more: object = {}) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'PacketCapture',
  metadata: { name, namespace: 'lab' },
  spec,
  ...more,
});
const directoryOf = (name: string) => join(agent.folder, 'state', 'captures', 'lab', name);
const filesOf = async (name: string) =>
  ((await client.get({ ...PLACE, name })).status as { files: readonly { state: string; fileNames: string[] }[] }).files;

it.each([
  ['begins later', { startTime: '2999-01-01T00:00:00Z' }, 'Scheduled', 0],
  ['is over', { endTime: '2001-01-01T00:00:00Z' }, 'Finished', 0],
  ['runs, and has seen nothing yet', {}, 'WaitingForTraffic', 1],
])('of one that %s', async (_, spec, state, count) => {
  await client.create(PLACE, capture('one', spec));
  const files = await filesOf('one');
  expect(files).toEqual([{ node: 'here', directory: directoryOf('one'), fileNames: expect.any(Array), state }]);
  expect(files[0]?.fileNames).toEqual(count === 0 ? [] : readdirSync(directoryOf('one')));
  expect(files[0]?.fileNames).toHaveLength(count);
});

it('of one that runs, while others only try what would end it', async () => {
  await client.create(PLACE, capture('one'));
  const before = await filesOf('one');
  await client.delete({ ...PLACE, name: 'one' }, { isDryRun: true });
  await client.replace({ ...PLACE, name: 'one' }, capture('one', { endTime: '2001-01-01T00:00:00Z' }), {
    isDryRun: true,
  });
  expect(await filesOf('one')).toEqual(before);
});

it('of one that cannot be written', async () => {
  mkdirSync(join(agent.folder, 'state', 'captures'), { recursive: true });
  writeFileSync(join(agent.folder, 'state', 'captures', 'lab'), 'no directory');
  await client.create(PLACE, capture('one'));
  expect(await filesOf('one')).toMatchObject([{ state: 'Error', fileNames: [] }]);
});

it('of one that has ended names what is left of it, the oldest first', async () => {
  mkdirSync(directoryOf('one'), { recursive: true });
  for (const [at, name] of ['b.pcapng', 'other.txt', 'a.pcapng'].entries()) {
    const path = join(directoryOf('one'), name);
    writeFileSync(path, '');
    utimesSync(path, at + 1, at + 1);
  }
  await client.create(PLACE, capture('one', { endTime: '2001-01-01T00:00:00Z' }));
  expect((await filesOf('one'))[0]?.fileNames).toEqual(['b.pcapng', 'a.pcapng']);
  rmSync(directoryOf('one'), { recursive: true });
  expect((await filesOf('one'))[0]?.fileNames).toEqual([]);
});

it('is in lists, watches and objects of files, changes no version, and is not kept when it is sent back', async () => {
  const seen: Record<string, unknown>[] = [];
  const watching = (async () => {
    for await (const { object } of client.watch(PLACE, { timeoutSeconds: 2 })) seen.push(object);
  })();
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0));
  await client.create(PLACE, capture('one', {}, { status: { files: [{ node: 'nonsense' }] } }));
  const shown = await client.get({ ...PLACE, name: 'one' });
  const list = (await client.list(PLACE)).items;
  expect(list.map(({ status }) => (status as { files: { state: string }[] }).files[0]?.state)).toEqual([
    'WaitingForTraffic',
    'Scheduled',
  ]);
  expect(shown.metadata).toMatchObject({ resourceVersion: '1', generation: 1 });
  expect((await client.replace({ ...PLACE, name: 'one' }, shown)).metadata).toMatchObject({ generation: 1 });
  expect(JSON.stringify([...agent.stored.store.entriesAfter(0)])).not.toContain('status');
  const { revision } = agent.stored.store;
  await client.get({ ...PLACE, name: 'one' });
  expect(agent.stored.store.revision).toBe(revision);
  await watching;
  expect(seen.filter(({ status }) => status !== undefined).length).toBeGreaterThan(1);
});
