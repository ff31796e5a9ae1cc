// What `tortie monitor` prints of names that others chose.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API_VERSION, VERSION } from '../../../../src/agent/version.ts';
import type { FlowRecord } from '../../../../src/observe/flow-record.ts';
import { runCommand } from '../../../support/run-command.ts';

const HOSTILE = 'lab/red\u001b]0;pwn\u0007\u202e\u009b2J';
const RECORD: FlowRecord = {
  time: '2026-01-31T12:00:00.000Z',
  kind: 'denied',
  reason: 'drop_ingress_policy',
  interface: 'cali1',
  hook: 'to_workload',
  source: '10.0.0.1',
  sourceEndpoint: HOSTILE,
  destination: '10.0.0.2',
  protocol: 'TCP',
  sourcePort: 40_000,
  destinationPort: 7000,
  ingress: { verdict: 'deny', trace: ['0|default|np:lab/green|deny|-1'] },
  generation: 1,
  length: 60,
};
const socket = join(tmpdir(), `tortie-monitor-${process.pid}.sock`);
let server: Server;

/** Says its version, and to whoever follows events one of them; then it is over. */
beforeEach(async () => {
  server = createServer(({ url }, response) => {
    if (url === '/version') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ version: VERSION, api: API_VERSION }));
    } else response.end(`\n${JSON.stringify(RECORD)}\n`);
  }).listen(socket);
  await once(server, 'listening');
});

afterEach(async () => {
  server.close();
  await once(server, 'close');
  rmSync(socket, { force: true });
});

describe('tortie monitor', () => {
  it.each(['text', 'json'])('prints nothing as %s that a terminal would act on', async (output) => {
    const { code, answer } = await runCommand(['monitor', '-o', output, '--socket', socket]);
    expect(code).toBe(0);
    expect(answer).toContain('lab/red\\u001b]0;pwn\\u0007\\u202e\\u009b2J');
    expect(answer.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    if (output === 'json') expect(JSON.parse(answer)).toEqual(RECORD);
    else
      expect(answer).toMatch(
        /denied +TCP lab\/red.*:40000 -> 10\.0\.0\.2:7000 {2}0\|default\|np:lab\/green\|deny\|-1\n$/,
      );
  });
});
