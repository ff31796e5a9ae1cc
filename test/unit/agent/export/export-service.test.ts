import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExportService } from '../../../../src/agent/export/export-service.ts';
import { Logger } from '../../../../src/base/log.ts';
import { FlowHub } from '../../../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { addExportMetrics } from '../../../../src/observe/metrics/exports.ts';
import { flowLogs } from '../../../support/export/flow-logs.ts';

const log = new Logger({ level: 'error', write: () => {} });

let folder: string;
let hub: FlowHub;
let service: ExportService;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-export-service-'));
  hub = new FlowHub(log);
  service = new ExportService({ flows: hub, stateDirectory: folder, host: 'n', version: '1', log });
});
afterEach(async () => {
  await service.close();
  rmSync(folder, { recursive: true });
});

const url = (name: string, more = '') => `file://${join(folder, name)}#name=${name}&flush=10ms${more}`;
const read = (name: string): FlowLog[] =>
  existsSync(join(folder, name))
    ? readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as FlowLog)
    : [];

describe('ExportService', () => {
  it('listens to nobody while nothing is exported', async () => {
    expect(hub.hasListeners).toBe(false);
    await service.configure(url('a'));
    expect(hub.hasListeners).toBe(true);
    await service.configure('');
    expect(hub.hasListeners).toBe(false);
  });

  it('tells each exporter what it asks for', async () => {
    await service.configure(`${url('all')} ${url('denied', '&actions=deny')}`);
    hub.publish(flowLogs(100));
    await vi.waitFor(() => expect(service.counters().map(({ delivered }) => delivered)).toEqual([100, 50]));
    expect(read('all')).toEqual(flowLogs(100));
    expect(read('denied').every(({ action }) => action === 'deny')).toBe(true);
  });

  it('tells once what both ends report where that is asked for, and counts the other record nowhere', async () => {
    await service.configure(`${url('all')} ${url('once', '&reporter=once')}`);
    const [one] = flowLogs(1) as [FlowLog];
    const source: FlowLog = { ...one, reporter: 'src', isPaired: true };
    hub.publish([source, { ...source, reporter: 'dst' }, { ...source, isPaired: undefined }]);
    await vi.waitFor(() => expect(service.counters().map(({ emitted }) => emitted)).toEqual([3, 2]));
    await vi.waitFor(() => expect(service.counters().map(({ delivered }) => delivered)).toEqual([3, 2]));
    expect(read('once').map(({ reporter, isPaired }) => [reporter, isPaired])).toEqual([
      ['dst', true],
      ['src', undefined],
    ]);
  });

  it('tells aggregates where they are asked for, none lost at the end', async () => {
    await service.configure(url('a', '&aggregate=15s'));
    hub.publish(flowLogs(100));
    await service.close();
    const lines = read('a');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(10);
    expect(lines.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(100 * 400);
    expect(lines.every(({ source }) => source.address === '')).toBe(true);
  });

  it('counts what is of more keys than are put together as emitted and dropped', async () => {
    await service.configure(url('a', '&aggregate=1h'));
    const [one] = flowLogs(1) as [FlowLog];
    const ofPort = (port: number, name: string): FlowLog => ({
      ...one,
      destination: { ...one.destination, port, name, aggregatedName: name },
    });
    hub.publish(Array.from({ length: 65_535 }, (_, port) => ofPort(port + 1, 'one')));
    hub.publish([ofPort(1, 'one'), ofPort(1, 'other'), ofPort(2, 'other'), ofPort(3, 'other'), ofPort(4, 'other')]);
    const [counters] = service.counters();
    expect(counters).toMatchObject({ emitted: 3, delivered: 0, dropped: 3, waiting: 0 });
    expect(counters?.droppedBy['too-many-keys']).toBe(3);
    hub.publish([ofPort(5, 'other')]);
    expect(service.counters()[0]).toMatchObject({ emitted: 4, dropped: 4, waiting: 0 });
  });

  it('leaves alone what stays as it is when others come and go', async () => {
    await service.configure(`${url('a')} ${url('b')}`);
    hub.publish(flowLogs(10));
    await service.configure(`${url('a')} ${url('c')}`);
    hub.publish(flowLogs(10));
    await vi.waitFor(() => expect(read('c')).toHaveLength(10));
    await vi.waitFor(() => expect(read('a')).toHaveLength(20));
    expect(read('b')).toHaveLength(10);
    expect(service.counters().map(({ exporter, emitted }) => [exporter, emitted])).toEqual([
      ['a', 20],
      ['c', 10],
    ]);
  });

  it('changes nothing when it is told what cannot be', async () => {
    await service.configure(url('a'));
    await expect(service.configure(`${url('b')} nonsense`)).rejects.toThrow(/no known scheme/);
    expect(service.counters().map(({ exporter }) => exporter)).toEqual(['a']);
  });

  it('gives to the next agent what a dead collector did not take', async () => {
    const dead = 'syslog+tcp://127.0.0.1:1#flush=10ms';
    await service.configure(dead);
    hub.publish(flowLogs(30));
    await vi.waitFor(() => expect(service.counters()[0]?.failures).toBeGreaterThan(0));
    await service.close();
    expect(readdirSync(join(folder, 'exports/syslog.syslog'))).toHaveLength(1);
    await service.configure(dead);
    expect(service.counters()[0]).toMatchObject({ emitted: 30, waiting: 30, delivered: 0 });
  });

  it('is measured: what was emitted is delivered, dropped or waits', async () => {
    const registry = new Registry();
    addExportMetrics(registry, () => ({
      exporters: service.counters(),
      packetLog: { lines: 3, suppressed: 4, exporters: [] },
    }));
    await service.configure(url('a'));
    hub.publish(flowLogs(20));
    await vi.waitFor(() => expect(service.counters()[0]?.delivered).toBe(20));
    for (let scrape = 0; scrape < 2; scrape += 1) {
      const text = await registry.metrics();
      expect(text).toContain('tortie_export_flows_total{exporter="a",outcome="emitted"} 20');
      expect(text).toContain('tortie_export_flows_total{exporter="a",outcome="delivered"} 20');
      expect(text).toContain('tortie_export_flows_total{exporter="a",outcome="dropped"} 0');
      expect(text).toContain('tortie_export_up{exporter="a"} 1');
      expect(text).toContain('tortie_log_action_packets_total{outcome="suppressed"} 4');
    }
  });
});
