// A real agent under requests that nobody should send, while packets flow: it answers the next good one, and no verdict
// changes.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAgent } from '../../src/cli/agent-client.ts';
import type { Agent } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { Authority } from '../support/agent/authority.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
const GARBAGE = 300;
const REMOTE = { host: '127.0.0.1', port: 7443 };
/** More than the listener takes. */
const STRANGERS = 300;
const PATHS = [
  '/apply',
  '/import',
  '/rollback',
  '/history/1',
  '/%ff',
  '//',
  '/apis/projectcalico.org/v3/tiers',
  '/v1/verdict',
  '/flows?filter=((((&limit=1',
  '/flows/top?by=pair&since=999999d',
  '/flows/stream?port=0-99999',
  '/whisker-backend/flows?watch=true&filters={',
  '/block/add',
  '/block/feeds/x',
  '/why',
  '/v1/probes',
];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/json-patch+json',
  'application/apply-patch+yaml',
  'x',
];

describe('an agent under abuse of its API', () => {
  let setting: Setting;
  let agent: Agent;
  let authority: Authority;

  const socketPath = (): string => join(setting.lab.directory, 'agent.sock');

  function connect(): Socket {
    const socket = createConnection(socketPath());
    socket.on('error', () => undefined);
    return socket;
  }

  async function expectUntouched(): Promise<void> {
    expect(await askAgent(socketPath(), 'GET', '/liveness')).toEqual({ status: 'ok' });
    const { store } = await agent.waitFor(({ inSync }) => inSync, 5000);
    expect(store?.revision ?? 0).toBe(0);
    const request = { transport: 'tcp', address: '10.66.0.2', sourceAddress: '10.66.0.1' } as const;
    expect(await setting.probe('red', { ...request, port: 7000, timeoutMs: 2000 })).toBe('open');
    expect(await setting.probe('red', { ...request, port: 7001, timeoutMs: 400 })).toBe('timeout');
  }

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    const red = { name: 'red', namespace: 'lab', selector: "app == 'red'", egress: [{ action: 'Allow' }] as const };
    const green = { name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts([7000]) };
    setting.manifests.write('50-policy.yaml', [policy(red), policy(green)]);
    authority = new Authority();
    for (const name of ['server', 'ann']) authority.certify(name);
    const variables = {
      TORTIE_API_ADDRESS: `${REMOTE.host}:${REMOTE.port}`,
      TORTIE_API_CERTIFICATE: authority.path('server.pem'),
      TORTIE_API_KEY: authority.path('server.key'),
      TORTIE_API_CLIENT_AUTHORITY: authority.path('ca.pem'),
    };
    const wrapper = ['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
    agent = await setting.startAgent({ wrapper });
  });

  afterAll(async () => {
    await setting?.close();
    authority?.[Symbol.dispose]();
  });

  it('refuses malformed requests by chance', async () => {
    const random = new Random(newSeed('abuse of the API'));
    const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
    for (let index = 0; index < GARBAGE; index += 1) {
      const bytes = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
      const head = `${pick(METHODS)} ${pick(PATHS)} HTTP/1.1\r\nhost: a\r\ncontent-type: ${pick(TYPES)}\r\n`;
      const socket = connect();
      socket.write(random.chance(30) ? bytes : `${head}content-length: ${bytes.length}\r\n\r\n`);
      socket.write(bytes);
      if (random.chance(50)) socket.end();
      await sleep(2);
      socket.destroy();
    }
    await expectUntouched();
  });

  it('outlives huge bodies, slow senders, half-open connections and more of them than it takes', async () => {
    const huge = connect();
    huge.write('POST /apply HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const mebibyte = `100000\r\n${'x'.repeat(2 ** 20)}\r\n`;
    for (let index = 0; index < 12 && !huge.destroyed; index += 1) {
      huge.write(mebibyte);
      await sleep(5);
    }
    const others = Array.from({ length: 200 }, connect);
    for (const [index, socket] of others.entries()) {
      if (index % 3 === 0) socket.write('GET /vers');
      if (index % 3 === 1) socket.write('POST /apply HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{');
      if (index % 3 === 2) socket.end();
    }
    await expectUntouched();
    for (const socket of [huge, ...others]) socket.destroy();
    await expectUntouched();
  });

  it('answers a certificate while others fill its listener without one, and malformed requests with one', async () => {
    const script = `
      const net = process.getBuiltinModule('node:net');
      const hold = (number) => {
        const socket = net.connect(${JSON.stringify(REMOTE)}).on('error', () => undefined);
        if (number % 3 === 1) socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
        if (number % 3 === 2) socket.write('GET /version HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n');
        socket.once('close', () => setTimeout(hold, 5000, number));
      };
      for (let number = 0; number < ${STRANGERS}; number += 1) hold(number);
      setTimeout(() => console.log('all there'), 500);`;
    const flood = setting.lab.spawn(HOST, [process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(flood.stdout as Readable, 'data');
      expect(await askRemote('GET /version HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatch(
        /^HTTP\/1\.1 200 /,
      );
      for (const path of PATHS) await askRemote(`GET ${path} HTTP/9\r\n\r\n`);
      await expectUntouched();
    } finally {
      flood.kill('SIGKILL');
    }
    await expectUntouched();
  });

  /** What the listener for other machines answers to somebody with a certificate; `refused` where the connection fails. */
  async function askRemote(text: string): Promise<string> {
    const own = ['-cert', authority.path('ann.pem'), '-key', authority.path('ann.key')];
    const to = ['-connect', `${REMOTE.host}:${REMOTE.port}`, '-CAfile', authority.path('ca.pem')];
    const asked = setting.lab.exec(HOST, ['openssl', 's_client', '-quiet', ...to, ...own], text);
    return asked.then(
      ({ stdout }) => stdout,
      () => 'refused',
    );
  }

  it('answers to no other user, not even where somebody has opened the socket to all', async () => {
    chmodSync(setting.lab.directory, 0o755);
    expect(askAsNobody()).toBe('EACCES');
    chmodSync(socketPath(), 0o666);
    for (const [method, path] of [
      ['GET', '/v1/status'],
      ['POST', '/apply'],
      ['GET', '/liveness'],
    ] as const) {
      expect(askAsNobody(method, path)).toMatch(/^403 .*FORBIDDEN.*user id 65534/s);
    }
    chmodSync(socketPath(), 0o600);
    chmodSync(setting.lab.directory, 0o700);
    await expectUntouched();
  });

  /** What another user gets: status and body, or the code of the failed connection. */
  function askAsNobody(method = 'GET', path = '/liveness'): string {
    const script = `
      const options = ${JSON.stringify({ socketPath: socketPath(), method, path })};
      const request = process.getBuiltinModule('node:http').request(options, async (answer) => {
        let text = answer.statusCode + ' ';
        for await (const chunk of answer) text += chunk;
        console.log(text);
      });
      request.on('error', ({ code }) => console.log(code)).end();`;
    const options = { uid: 65534, gid: 65534, cwd: '/', encoding: 'utf8' } as const;
    return execFileSync(process.execPath, ['-e', script], options).trim();
  }
});
