// tortie watch against an agent that breaks off in the middle of a change.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../../../src/agent/version.ts';
import { runCommand } from '../../../support/run-command.ts';

const line = (type: string, revision: number, name?: string): string =>
  `${JSON.stringify({ type, object: { kind: 'Tier', metadata: { name, resourceVersion: String(revision) } } })}\n`;

/** Revision 6 in three events. */
const CHANGE = [line('ADDED', 6, 'a'), line('MODIFIED', 6, 'b'), line('DELETED', 6, 'c'), line('BOOKMARK', 6)];

let folder: string;
let socket: string;
let server: Server;
let asked: (string | null)[];

/** The first watch ends after one event; what others ask for after revision 5 they get whole. */
function watch(from: string | null, response: ServerResponse): void {
  asked.push(from);
  if (asked.length === 1) response.write(CHANGE[0], () => response.destroy());
  else response.end(from === '5' ? CHANGE.join('') : '');
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-watch-'));
  socket = join(folder, 'socket');
  asked = [];
  server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://agent');
    response.setHeader('content-type', 'application/json');
    if (pathname === '/version') response.end(JSON.stringify({ version: VERSION, api: 'v1' }));
    else watch(searchParams.get('resourceVersion'), response);
  }).listen(socket);
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

describe('tortie watch', () => {
  it('shows the rest of a change that broke off, and nothing twice', async () => {
    const words = ['watch', 'tier', '--since', '5', '--timeout', '3', '--socket', socket, '-o', 'json'];
    const { code, answer } = await runCommand(words);
    expect(code).toBe(0);
    const events = answer
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as { type: string; object: { metadata: { name: string } } });
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED a',
      'MODIFIED b',
      'DELETED c',
    ]);
    expect(asked.slice(0, 2)).toEqual(['5', '5']);
    expect(new Set(asked.slice(2))).toEqual(new Set(['6']));
  });
});
