// Exports of flow logs, checked by programs of others: nfdump, rsyslogd, jq, OpenTelemetry's protobuf definitions, openssl.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import otlpRoot from '@opentelemetry/otlp-transformer/build/src/generated/root.js';
import { Gauge, Histogram, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../src/abi/event.gen.ts';
import { ExportService } from '../../src/agent/export/export-service.ts';
import { PacketLog } from '../../src/agent/log-action/packet-log.ts';
import { Logger } from '../../src/base/log.ts';
import type { PlainMetric } from '../../src/observe/export/otlp-metrics.ts';
import { FlowHub } from '../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../src/observe/flows/flow-log.ts';
import { eventChunk } from '../support/export/event-chunk.ts';
import { flowLogs } from '../support/export/flow-logs.ts';
import {
  type Daemon,
  freePort,
  journalSocket,
  readJournal,
  readNfcapd,
  readRsyslogd,
  run,
  startJournald,
  startNfcapd,
  startRsyslogd,
  until,
} from '../support/export/receivers.ts';

/** Its own types say nothing of what is in it. */
interface Definitions {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly logs: { readonly v1: { readonly ExportLogsServiceRequest: MessageType } };
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: MessageType } };
      };
    };
  };
}
const otlp = otlpRoot as unknown as Definitions;

const log = new Logger({ level: 'error', write: (line) => process.stderr.write(line) });

let folder: string;
let flows: FlowHub;
let service: ExportService;
let registry: Registry;
let daemons: Daemon[];
let close: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-exports-'));
  flows = new FlowHub(log);
  registry = new Registry();
  const readMetrics = async () => (await registry.getMetricsAsJSON()) as unknown as PlainMetric[];
  service = new ExportService({ flows, stateDirectory: folder, host: 'node-1', version: '1.2.3', log, readMetrics });
  daemons = [];
  close = [];
});

afterEach(async () => {
  await service.close();
  for (const daemon of daemons) await daemon.stop();
  for (const one of close) await one();
  rmSync(folder, { recursive: true });
});

function keep(daemon: Daemon): Daemon {
  daemons.push(daemon);
  return daemon;
}

/** Every one was delivered. */
async function delivered(records: number): Promise<void> {
  await until(() => service.counters().every((one) => one.delivered === records), JSON.stringify(service.counters()));
  for (const counters of service.counters())
    expect(counters).toMatchObject({ emitted: records, dropped: 0, waiting: 0 });
}

interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function http(): Promise<{ readonly port: number; readonly taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const all = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(all) : all;
      taken.push({ path: request.url ?? '', headers: request.headers, body });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, taken };
}

describe('IPFIX', { timeout: 60_000 }, () => {
  it('is what nfcapd takes and nfdump prints: every flow, with its counts', async () => {
    const port = await freePort();
    const capture = join(folder, 'nfcapd');
    const collector = keep(await startNfcapd(capture, port));
    await service.configure(`ipfix+udp://127.0.0.1:${port}`);
    const logs = flowLogs(5000);
    flows.publish(logs);
    await delivered(5000);
    await collector.stop();
    const printed = readNfcapd(capture);
    expect(printed).toHaveLength(5000);
    const bytes = printed.reduce((sum, { in_bytes, out_bytes = 0 }) => sum + in_bytes + out_bytes, 0);
    expect(bytes).toBe(logs.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0));
    const key = ({ src4_addr, src6_addr, src_port }: (typeof printed)[0]) => `${src4_addr ?? src6_addr} ${src_port}`;
    expect(printed.map(key).sort()).toEqual(logs.map(({ source }) => `${source.address} ${source.port}`).sort());
    const first = printed.find(({ src_port, src4_addr }) => src_port === 1024 && src4_addr !== undefined);
    expect(first).toMatchObject({
      dst4_addr: '10.0.0.2',
      dst_port: 5432,
      proto: 6,
      in_packets: 4,
      in_bytes: 400,
      out_packets: 3,
      out_bytes: 300,
    });
    const seenByReceiver = logs.filter(({ reporter }) => reporter === 'dst').length;
    expect(printed.filter(({ direction }) => direction === 0)).toHaveLength(seenByReceiver);
  });
});

describe('syslog', { timeout: 60_000 }, () => {
  it('is what rsyslogd understands, by UDP, TCP and its socket', async () => {
    const port = await freePort();
    const place = join(folder, 'rsyslog');
    keep(await startRsyslogd(place, port));
    await service.configure(
      `syslog+udp://127.0.0.1:${port}#name=udp&facility=local1&batch=50
       syslog+tcp://127.0.0.1:${port}#name=tcp&facility=local2
       syslog+unix://${place}/log#name=unix&facility=local3&batch=5`,
    );
    const labels = { app: 'käse\n<13>1 forged 🐈' };
    const logs = flowLogs(300).map((one) => ({ ...one, source: { ...one.source, labels } }));
    flows.publish(logs);
    await delivered(300);
    await until(() => readRsyslogd(place).length >= 900, 'rsyslogd has written all');
    expect(readRsyslogd(place)).toHaveLength(900);
    const lines = readRsyslogd(place);
    for (const facility of ['local1', 'local2']) {
      const own = lines.filter((line) => line.facility === facility);
      const told = own.map(({ message }) => JSON.parse(message) as FlowLog);
      const byPort = (a: FlowLog, b: FlowLog) => a.source.port - b.source.port;
      expect(told.sort(byPort)).toEqual(logs);
      expect(own[0]).toMatchObject({ host: 'node-1', app: 'tortie', process: String(process.pid), id: 'flow' });
      expect(own.filter(({ severity }) => severity === 'warning')).toHaveLength(150);
      expect(new Date(own[0]?.time ?? '').getTime()).toBe(logs[0]?.endTime);
    }
    const local = lines.filter((line) => line.facility === 'local3');
    expect(local).toHaveLength(300);
    expect(local[0]).toMatchObject({ app: 'tortie-flow', process: String(process.pid), host: hostname() });
    expect(JSON.parse(local[0]?.message ?? '')).toEqual(logs[0]);
  });
});

describe('files', { timeout: 60_000 }, () => {
  it('are what jq reads, over all that were put aside', async () => {
    const path = join(folder, 'out', 'flows.jsonl');
    await service.configure(`file://${path}#size=1Mi&keep=9`);
    const logs = flowLogs(4000);
    flows.publish(logs);
    await delivered(4000);
    const files = [path, ...Array.from({ length: 9 }, (_, n) => `${path}.${n + 1}`)].filter(
      (file) => fileSize(file) > 0,
    );
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(fileSize(file)).toBeLessThanOrEqual(1024 * 1024);
    expect(Number(run('jq', ['-s', 'map(.bytesOut) | add', ...files]))).toBe(4000 * 400);
    const denied = run('jq', ['-r', 'select(.action == "deny") | .source.port', ...files]);
    expect(denied.trim().split('\n')).toHaveLength(2000);
  });
});

function fileSize(path: string): number {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
}

describe('OTLP', { timeout: 60_000 }, () => {
  it('is what the protobuf definitions of OpenTelemetry have, field by field', async () => {
    const { port, taken } = await http();
    new Gauge({ name: 'tortie_test', help: 'A test', labelNames: ['a'], registers: [registry] }).set({ a: 'b' }, 1.5);
    const histogram = new Histogram({ name: 'tortie_seconds', help: 'A', buckets: [1, 2], registers: [registry] });
    for (const value of [0.5, 1.5, 9]) histogram.observe(value);
    await service.configure(`otlp+http://127.0.0.1:${port}#batch=100&period=1s`);
    flows.publish(flowLogs(1000));
    await delivered(1000);
    await until(() => taken.some(({ path }) => path === '/v1/metrics'), 'metrics come');
    const { logs, metrics } = otlp.opentelemetry.proto.collector;
    const requests = taken.filter(({ path }) => path === '/v1/logs').map(({ body }) => JSON.parse(body.toString()));
    expect(requests).toHaveLength(10);
    for (const request of requests) expect(throughProtobuf(logs.v1.ExportLogsServiceRequest, request)).toEqual(request);
    const sent = JSON.parse(taken.find(({ path }) => path === '/v1/metrics')?.body.toString() ?? '');
    expect(throughProtobuf(metrics.v1.ExportMetricsServiceRequest, sent)).toEqual(sent);
    const names = sent.resourceMetrics[0].scopeMetrics[0].metrics.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['tortie_test', 'tortie_seconds']);
  });
});

interface MessageType {
  verify(plain: object): string | null;
  fromObject(plain: object): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}

/** What is misspelled or of a wrong type does not come through. */
function throughProtobuf(type: MessageType, plain: object): object {
  const message = type.fromObject(plain);
  expect(type.verify(message)).toBeNull();
  const back = type.toObject(type.decode(type.encode(message).finish()), { longs: String, enums: Number });
  return JSON.parse(JSON.stringify(back)) as object;
}

describe('webhook', { timeout: 60_000 }, () => {
  it('has a signature that openssl agrees with', async () => {
    const { port, taken } = await http();
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    await service.configure(`webhook+http://127.0.0.1:${port}/in#secret=${secret}&actions=deny`);
    flows.publish(flowLogs(100));
    await delivered(50);
    const [{ headers, body }] = taken as [Taken];
    const signed = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
    writeFileSync(join(folder, 'signed'), signed);
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64').toString('hex');
    const mac = run('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${key}`, join(folder, 'signed')]);
    const expected = Buffer.from(mac.trim().split('= ')[1] as string, 'hex').toString('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    const { data } = JSON.parse(body.toString()) as { data: { flows: FlowLog[] } };
    expect(data.flows.every(({ action }) => action === 'deny')).toBe(true);
  });
});

describe('a dead collector', { timeout: 90_000 }, () => {
  it('costs nothing else, and has everything once it is back: memory and disk are bounded, the event loop turns', async () => {
    const ports = { ipfix: await freePort(), syslog: await freePort() };
    const path = join(folder, 'flows.jsonl');
    await service.configure(
      `ipfix+udp://127.0.0.1:${ports.ipfix}#queue=8Mi
       syslog+tcp://127.0.0.1:${ports.syslog}#queue=8Mi&spool=1Mi
       file://${path}#size=1Gi`,
    );
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (let round = 0; round < 40; round += 1) {
      flows.publish(flowLogs(500));
      await sleep(50);
    }
    delay.disable();
    await until(() => service.counters()[2]?.delivered === 20_000, 'the file has all');
    const [ipfix, syslog] = service.counters();
    expect(ipfix).toMatchObject({ emitted: 20_000, delivered: 0, dropped: 0, waiting: 20_000 });
    expect(ipfix?.error).toContain('ECONNREFUSED');
    expect(ipfix?.waitingBytes).toBeLessThan(8 * 1024 * 1024);
    expect(syslog?.spooledBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(syslog?.droppedBy['spool-full']).toBeGreaterThan(5000);
    expect((syslog?.delivered ?? 0) + (syslog?.dropped ?? 0) + (syslog?.waiting ?? 0)).toBe(20_000);
    expect(delay.percentile(99) / 1e6).toBeLessThan(250);
    const capture = join(folder, 'nfcapd');
    const collector = keep(await startNfcapd(capture, ports.ipfix));
    await until(() => service.counters()[0]?.delivered === 20_000, 'what waited is delivered');
    await collector.stop();
    expect(readNfcapd(capture)).toHaveLength(20_000);
  });
});

describe('the action Log', { timeout: 60_000 }, () => {
  it('is in the journal with fields to look for, as many lines as its rate allows, and a word about the others', async () => {
    const place = join(folder, 'run');
    keep(await startJournald(place));
    const rule = {
      tier: 'default',
      kind: 'np',
      namespace: 'shop',
      name: 'web',
      direction: 'ingress',
      index: 2,
    } as const;
    const names = { endpointAt: () => 'shop/web-1', interfaceName: () => 'cali1' };
    const packets = new PacketLog({ rules: { find: () => [rule] }, names, host: 'node-1', log });
    const rates = { logActionRate: '1/hour', logActionBurst: 20 };
    await packets.configure({ packetLog: `journald:${journalSocket(place)}`, logPrefix: '%t %k %p', ...rates });
    packets.take(eventChunk(50, EventKind.LOG));
    await packets.close();
    const entries = () => readJournal(place, 'tortie-packet');
    await until(() => entries().length >= 21, 'the journal has all');
    expect(entries()).toHaveLength(21);
    expect(entries()[0]).toMatchObject({
      MESSAGE:
        'default np shop/web: IN=cali1 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 PROTO=TCP SPT=40000 DPT=80 VERDICT=allow SRCEP=shop/web-1 DSTEP=shop/web-1',
      PRIORITY: '5',
      TORTIE_POLICY: 'shop/web',
      TORTIE_RULE: '2',
      TORTIE_SRC: '10.0.0.1',
      TORTIE_VERDICT: 'allow',
    });
    expect(entries()[20]).toMatchObject({ MESSAGE: 'default np shop/web: SUPPRESSED=30', TORTIE_SUPPRESSED: '30' });
  });
});
