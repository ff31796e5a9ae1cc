// What is exported can be imported: however much it is, and wherever kinds of it may be defined.
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../../../../src/agent/api/body.ts';
import { ResourceClient } from '../../../../src/cli/resource-client.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { tier } from '../../../support/agent/store-manifests.ts';

const FELIX = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'FelixConfiguration',
  metadata: { name: 'default' },
  spec: {},
};

let agent: KernelLessAgent;
let client: ResourceClient;

async function start(manifests: Readonly<Record<string, string>> = {}): Promise<void> {
  agent = await KernelLessAgent.start({ manifests });
  client = new ResourceClient(agent.options.socket);
}

beforeEach(() => start({ 'felix.yaml': JSON.stringify(FELIX) }));

afterEach(() => agent.end());

/** Of one whose body is said to be of that length. */
function statusOfImport(contentLength: number): Promise<number | undefined> {
  const headers = { 'content-type': 'application/yaml', 'content-length': contentLength };
  return new Promise((resolve) => {
    const asked = request({ socketPath: agent.options.socket, path: '/import', method: 'POST', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
      asked.destroy();
    });
    asked.flushHeaders();
  });
}

describe('an export', () => {
  it('is imported where its FelixConfiguration is missing, which is skipped and said', async () => {
    await client.applyAll(JSON.stringify(tier('a', 1)));
    const exported = await client.exportAll();
    const skipped = [{ id: 'FelixConfiguration//default', reason: 'only manifest files can define it' }];
    expect((await client.importAll(exported)).skipped).toBeUndefined();
    await agent.end();
    await start();
    for (const isDryRun of [true, false]) {
      const { changes, skipped: left } = await client.importAll(exported, { isDryRun });
      expect([changes.map(({ id }) => id), left]).toEqual([['Tier//a'], skipped]);
    }
    expect(agent.stored.store.get('Tier//a')).toBeDefined();
  });

  it('is still refused where a file defines its FelixConfiguration otherwise', async () => {
    const other = { ...FELIX, spec: { logSeverityScreen: 'Debug' } };
    await expect(client.importAll(JSON.stringify(other))).rejects.toMatchObject({ code: 'DEFINED_IN_FILE' });
  });

  it('may be larger than other requests, and not larger than all manifests together', async () => {
    const comment = `# ${'x'.repeat(1000)}\n`;
    const large = `${comment.repeat(9000)}${JSON.stringify(tier('a', 1))}\n`;
    expect(large.length).toBeGreaterThan(MAX_BODY_BYTES);
    await expect(client.applyAll(large)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    expect((await client.importAll(large)).changes).toMatchObject([{ id: 'Tier//a', result: 'created' }]);
    expect(await statusOfImport(128 * 2 ** 20 + 1)).toBe(413);
  });
});
