// Sinks against receivers of the test's own, on loopback: what arrives, byte by byte, and what is done when nobody takes it.
import { createHmac } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sink } from '../../../../src/agent/export/sink.ts';
import { IpfixSink } from '../../../../src/agent/export/sinks/ipfix-sink.ts';
import { encodeEntry } from '../../../../src/agent/export/sinks/journal-sink.ts';
import { OtlpLogSink } from '../../../../src/agent/export/sinks/otlp-sink.ts';
import { SyslogSink } from '../../../../src/agent/export/sinks/syslog-sink.ts';
import { WebhookSink } from '../../../../src/agent/export/sinks/webhook-sink.ts';
import { type ExportTarget, parseTargets } from '../../../../src/agent/export/target.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { FLOW_LOG, flowLogs } from '../../../support/export/flow-logs.ts';

const target = (url: string) => parseTargets(url)[0] as ExportTarget;
const tell = <T>(sink: Sink<T>, items: readonly T[]) => sink.send(sink.encode(items));

let folder: string;
let close: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-senders-'));
  close = [];
});
afterEach(async () => {
  for (const one of close.reverse()) await one();
  rmSync(folder, { recursive: true });
});

function keep<T extends { close(): unknown }>(one: T): T {
  close.push(() => one.close());
  return one;
}

async function tcp(): Promise<{ port: number; received: () => Buffer; sockets: Socket[]; server: Server }> {
  const chunks: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received: () => Buffer.concat(chunks), sockets, server };
}

async function udp(port = 0): Promise<{ port: number; received: Buffer[]; socket: DatagramSocket }> {
  const received: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message) => received.push(message));
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  return { port: socket.address().port, received, socket };
}

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

async function http(answer: () => Answer) {
  const requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server: HttpServer = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
      const { status, body = '', headers = {} } = answer();
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

describe('syslog', () => {
  const lines = ['<134>1 first', '<134>1 second one'];

  it('has each message behind its length in a stream', async () => {
    const { port, received } = await tcp();
    const sink = keep(new SyslogSink<string>(target(`syslog+tcp://127.0.0.1:${port}`), (text) => text));
    await tell(sink, lines);
    await vi.waitFor(() => expect(received().toString()).toBe('12 <134>1 first17 <134>1 second one'));
  });

  it('connects again after the connection has gone', async () => {
    const { port, received, sockets } = await tcp();
    const sink = keep(new SyslogSink<string>(target(`syslog+tcp://127.0.0.1:${port}`), (text) => text));
    await tell(sink, ['one']);
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    sockets[0]?.end();
    await vi.waitFor(() => expect(sockets[0]?.closed).toBe(true));
    await tell(sink, ['two']);
    await vi.waitFor(() => expect(received().toString()).toBe('3 one3 two'));
  });

  it('has one message in a datagram', async () => {
    const { port, received, socket } = keep2(await udp());
    const sink = keep(new SyslogSink<string>(target(`syslog+udp://localhost:${port}`), (text) => text));
    await tell(sink, lines);
    await vi.waitFor(() => expect(received.map(String).sort()).toEqual(lines));
    expect(socket).toBeDefined();
  });

  it('knows when nobody listens', async () => {
    const { port, socket } = await udp();
    await new Promise<void>((resolve) => socket.close(resolve));
    const datagrams = keep(new SyslogSink<string>(target(`syslog+udp://127.0.0.1:${port}`), (text) => text));
    await expect(tell(datagrams, lines)).rejects.toThrow(/ECONNREFUSED/);
    const stream = keep(new SyslogSink<string>(target(`syslog+tcp://127.0.0.1:${port}`), (text) => text));
    await expect(tell(stream, lines)).rejects.toThrow(/ECONNREFUSED/);
    const local = keep(new SyslogSink<string>(target(`syslog+unix://${folder}/log`), (text) => text));
    await expect(tell(local, lines)).rejects.toThrow(/No such file|ENOENT/);
  });
});

function keep2<T extends { socket: DatagramSocket }>(one: T): T {
  close.push(() => one.socket.close());
  return one;
}

describe('IPFIX', () => {
  const setOf = (message: Buffer) => message.readUInt16BE(16);

  it('sends templates first, counts data records on, and sends templates again when they are due', async () => {
    const { port, received } = keep2(await udp());
    const sink = keep(new IpfixSink({ ...target(`ipfix+udp://127.0.0.1:${port}#domain=5`), templateMs: 0 }));
    await tell(sink, flowLogs(4));
    await tell(sink, flowLogs(4));
    await vi.waitFor(() => expect(received).toHaveLength(6));
    expect(received.map(setOf)).toEqual([2, 256, 257, 2, 256, 257]);
    expect(received.map((message) => message.readUInt32BE(8))).toEqual([0, 0, 2, 4, 4, 6]);
    expect(received.map((message) => message.readUInt32BE(12))).toEqual([5, 5, 5, 5, 5, 5]);
  });

  it('sends templates once for a connection', async () => {
    const { port, received } = await tcp();
    const sink = keep(new IpfixSink(target(`ipfix+tcp://127.0.0.1:${port}`)));
    for (let n = 0; n < 3; n += 1) await tell(sink, [FLOW_LOG]);
    await vi.waitFor(() => expect(messagesIn(received()).map(setOf)).toEqual([2, 256, 256, 256]));
  });
});

function messagesIn(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 16 <= stream.length; at += stream.readUInt16BE(at + 2)) {
    messages.push(stream.subarray(at, at + stream.readUInt16BE(at + 2)));
  }
  return messages;
}

describe('OTLP', () => {
  const open = (port: number, more = '') =>
    keep(new OtlpLogSink(target(`otlp+http://127.0.0.1:${port}${more}`), { node: 'n', version: '1' }));

  it('posts compressed JSON, below the path it was given', async () => {
    const { port, requests } = await http(() => ({ status: 200, body: '{}' }));
    expect(await tell(open(port, '/base/?tenant=a'), [FLOW_LOG])).toBe(0);
    expect(requests[0]).toMatchObject({
      path: '/base/v1/logs?tenant=a',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    const body = JSON.parse(gunzipSync(requests[0]?.body as Buffer).toString());
    expect(body.resourceLogs[0].scopeLogs[0].logRecords).toHaveLength(1);
  });

  it('counts what the collector has refused of it', async () => {
    const { port } = await http(() => ({ status: 200, body: '{"partialSuccess":{"rejectedLogRecords":"2"}}' }));
    expect(await tell(open(port), flowLogs(5))).toBe(2);
  });

  it.each([
    [503, false],
    [429, false],
    [400, true],
    [404, true],
    [302, true],
  ])('takes HTTP %i for final: %s', async (status, isPermanent) => {
    const { port } = await http(() => ({ status, headers: { 'retry-after': '7' } }));
    await expect(tell(open(port), [FLOW_LOG])).rejects.toMatchObject({ isPermanent, retryAfterMs: 7000 });
  });

  it('has headers from a file, and no word of it in errors', async () => {
    const { port, requests } = await http(() => ({ status: 200 }));
    const file = join(folder, 'headers');
    writeFileSync(file, 'Authorization: Bearer hush\nX-Scope: a\n');
    await tell(open(port, `#headers=${file}`), [FLOW_LOG]);
    expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer hush', 'x-scope': 'a' });
    writeFileSync(file, 'hush\u0000hush');
    await expect(tell(open(port, `#headers=${file}`), [FLOW_LOG])).rejects.toThrow(/no header$/);
  });

  it('does not wait for ever', async () => {
    const { port } = await tcp();
    await expect(tell(open(port, '#timeout=100ms'), [FLOW_LOG])).rejects.toThrow(/no answer in 100 ms/);
  });
});

describe('webhook', () => {
  const secret = 'a secret of enough bytes';

  it('is signed over id, time and body, as Standard Webhooks has it', async () => {
    const { port, requests } = await http(() => ({ status: 204 }));
    const file = join(folder, 'secret');
    writeFileSync(file, `whsec_${Buffer.from(secret).toString('base64')}\n`);
    const sink = keep(new WebhookSink(target(`webhook+http://127.0.0.1:${port}/in?x=1#secret=${file}`), 'node-1'));
    const batch = sink.encode([FLOW_LOG]);
    await sink.send(batch);
    await sink.send(batch);
    const [first, again] = requests as [(typeof requests)[0], (typeof requests)[0]];
    const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = first.headers;
    const mac = createHmac('sha256', secret).update(`${id}.${time}.${first.body}`).digest('base64');
    expect(signature).toBe(`v1,${mac}`);
    expect(again.headers['webhook-id']).toBe(id);
    expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(5);
    const { data, type } = JSON.parse(first.body.toString()) as {
      type: string;
      data: { node: string; flows: FlowLog[] };
    };
    expect([type, data.node, data.flows]).toEqual(['tortie.flows', 'node-1', [FLOW_LOG]]);
    expect(first.path).toBe('/in?x=1');
  });

  it('sends nothing with a secret that is none, and does not tell it', async () => {
    const { port, requests } = await http(() => ({ status: 204 }));
    const file = join(folder, 'secret');
    writeFileSync(file, 'short');
    const sink = keep(new WebhookSink(target(`webhook+http://127.0.0.1:${port}/#secret=${file}`), 'node-1'));
    const failure = await tell(sink, [FLOW_LOG]).catch(String);
    expect(failure).toMatch(/fewer than 16 bytes/);
    expect(failure).not.toContain('short');
    expect(requests).toEqual([]);
  });
});

describe('the journal', () => {
  it('has a value with line breaks behind its length', () => {
    const entry = encodeEntry({ MESSAGE: 'a\nb', PRIORITY: 5 });
    expect(entry).toEqual(Buffer.from('MESSAGE\n\u0003\0\0\0\0\0\0\0a\nb\nPRIORITY=5\n'));
  });
});
