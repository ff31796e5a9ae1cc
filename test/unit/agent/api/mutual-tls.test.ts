// The listener for other machines: no certificate, no answer; and no change that would cut the connection it came through.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { policy, workload } from '../../../support/agent/store-manifests.ts';

let folder: string;
let agent: KernelLessAgent;

function openssl(...argv: readonly string[]): void {
  execFileSync('openssl', argv, { cwd: folder, stdio: 'ignore' });
}

function certify(name: string, subject: string, ...more: readonly string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, '-out', `${name}.pem`, '-days', '2', '-subj', subject, ...more);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-tls-'));
  certify('ca', '/CN=authority');
  certify('server', '/CN=server', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1');
  certify('ann', '/O=operators/CN=ann', '-CA', 'ca.pem', '-CAkey', 'ca.key');
  certify('eve', '/CN=eve');
  const [certificateFile, keyFile, clientAuthorityFile] = ['server.pem', 'server.key', 'ca.pem'].map((file) =>
    join(folder, file),
  ) as [string, string, string];
  // The address that the client has here is a workload's.
  const manifests = {
    'local.yaml': JSON.stringify(workload('local', '127.0.0.1')),
    'open.yaml': JSON.stringify(open()),
  };
  agent = await KernelLessAgent.start({
    manifests,
    api: { tls: { address: '127.0.0.1', port: 0, certificateFile, keyFile, clientAuthorityFile } },
  });
});

afterAll(async () => {
  await agent?.end();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Record<string, unknown> {
  const rules = [{ action: 'Allow' }];
  const base = policy('open', [1]);
  return {
    ...base,
    spec: { order: 500, selector: 'all()', types: ['Ingress', 'Egress'], ingress: rules, egress: rules },
  };
}

/** Denies all that the client sends, before anything else is asked. */
function cutting(): Record<string, unknown> {
  return {
    ...policy('cut', [1]),
    spec: { order: 1, selector: 'all()', types: ['Egress'], egress: [{ action: 'Deny' }] },
  };
}

function send(name: string | undefined, path: string, body?: object): Promise<{ status: number; text: string }> {
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  const own = name === undefined ? {} : { cert: read(`${name}.pem`), key: read(`${name}.key`) };
  const options = { host: '127.0.0.1', port: agent.remotePort, path, ca: read('ca.pem'), agent: false, ...own };
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const outgoing = request({ ...options, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('the listener for other machines', () => {
  it('answers nobody without a certificate of its authority', async () => {
    await expect(send(undefined, '/version')).rejects.toThrow();
    await expect(send('eve', '/version')).rejects.toThrow();
    expect((await send('ann', '/version')).status).toBe(200);
  });

  it('refuses a change that cuts the connection it came through, unless it is forced', async () => {
    const refused = await send('ann', '/apply', cutting());
    expect(refused).toMatchObject({ status: 409, text: expect.stringContaining('CUTS_CONNECTION') });
    expect(agent.stored.store.revision).toBe(0);
    expect((await send('ann', '/apply?force=true', cutting())).status).toBe(200);
    const [entry] = agent.stored.store.entriesBack();
    expect(entry?.who).toEqual({ kind: 'certificate', commonName: 'ann', organization: 'operators' });
  });
});
