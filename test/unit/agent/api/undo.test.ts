// Changes that come undone by themselves, and what could keep them from it.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { formatStatus } from '../../../../src/cli/status-text.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { tier, workload } from '../../../support/agent/store-manifests.ts';
import { runCommand } from '../../../support/run-command.ts';

const ADDRESS = '10.66.0.1';
const ONE = { type: 'WorkloadEndpoint', namespace: 'lab', name: 'node1-k8s-one-eth0' } as const;

let agent: KernelLessAgent;
let client: ResourceClient;

beforeEach(async () => {
  agent = await KernelLessAgent.start();
  client = new ResourceClient(agent.options.socket);
  await client.create(ONE, workload('one', ADDRESS));
});

afterEach(() => agent.end());

const stored = (): string[] => [...agent.stored.store.objects()].map(({ id }) => id);

describe('while a change awaits its confirmation', () => {
  it('nothing is taken that would keep it from being undone', async () => {
    await client.delete(ONE, { confirm: '60s' });
    await expect(client.applyAll(JSON.stringify(workload('two', ADDRESS)))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/revision 2, which awaits a confirmation, from being undone.*10\.66\.0\.1/s),
    });
    await expect(client.create(ONE, workload('two', ADDRESS), { isDryRun: true })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await client.applyAll(JSON.stringify(workload('two', '10.66.0.2')));
    await client.confirm('2');
    await client.applyAll(JSON.stringify(workload('three', ADDRESS)));
  });

  it('what is wrong by itself is told as ever', async () => {
    await client.delete(ONE, { confirm: '60s' });
    const both = ['two', 'three'].map((name) => JSON.stringify(workload(name, '10.66.0.9'))).join('\n---\n');
    await expect(client.applyAll(both)).rejects.toMatchObject({
      message: expect.stringContaining('10.66.0.9'),
      code: 'ADDRESS_CONFLICT',
    });
  });

  it('what is there beside it stays when it is undone', async () => {
    await client.delete(ONE, { confirm: '1s' });
    await client.applyAll(JSON.stringify(tier('other', 1)));
    await vi.waitFor(() => expect(stored()).toEqual(['Tier//other', `WorkloadEndpoint/lab/${ONE.name}`]), 5000);
  });
});

it('says that an undo failed, why and of which object, lets others mend it, and tries again', async () => {
  await client.delete(ONE, { confirm: '4s' });
  const file = join(agent.folder, 'manifests', 'two.yaml');
  writeFileSync(file, JSON.stringify(workload('two', ADDRESS)));
  await vi.waitFor(() => expect(agent.status().store?.undoError).toMatch(/10\.66\.0\.1/), { timeout: 15_000 });
  expect(formatStatus(agent.status())).toMatch(
    /revision 2 was to be undone at .* and cannot be; .*\n {4}.*10\.66\.0\.1/,
  );
  const lines = agent.log.filter((line) => line.includes('cannot be undone'));
  expect(lines.join('')).toMatch(/"code":"ADDRESS_CONFLICT".*"target":"[^"]*lab\/two".*lab\/one/);
  // No change is to blame for what could not be undone before it.
  await client.applyAll(JSON.stringify(tier('other', 1)));
  rmSync(file);
  await vi.waitFor(() => expect(agent.status().store).toMatchObject({ pending: null, undoError: null }), {
    timeout: 15_000,
    interval: 200,
  });
  expect(stored()).toContain(`WorkloadEndpoint/lab/${ONE.name}`);
  expect(agent.log.filter((line) => line.includes('cannot be undone'))).toHaveLength(1);
}, 60_000);

it('says of a change that is stored what keeps it from being in force, whatever the answer is', async () => {
  const words = ['--socket', agent.options.socket, '-f', join(agent.folder, 'tier.yaml')];
  writeFileSync(join(agent.folder, 'tier.yaml'), JSON.stringify(tier('a', 1)));
  agent.kernelFailure = new Error('the kernel has no memory');
  expect(await runCommand(['create', ...words])).toMatchObject({
    code: 4,
    output: expect.stringContaining('warning: the change is stored and not in force yet'),
  });
  const report = await client.applyAll(JSON.stringify(tier('b', 1)));
  expect(report).toMatchObject({ revision: '3', inForce: false, error: 'the kernel has no memory' });
  agent.kernelFailure = undefined;
  expect(await client.applyAll(JSON.stringify(tier('c', 1)))).not.toHaveProperty('inForce');
  expect((await runCommand(['apply', ...words])).code).toBe(0);
  process.exitCode = 0;
});
