import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoreStatus } from '../../../../src/agent/flows/flow-database.ts';
import { type FlowStoreOptions, FlowStoreService } from '../../../../src/agent/flows/flow-store-service.ts';
import type { FlowStore } from '../../../../src/agent/flows/store-client.ts';
import { Logger } from '../../../../src/base/log.ts';
import { FlowHub } from '../../../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { flowEnd, flowLog, START } from '../../../support/flow-logs.ts';

const STATUS: StoreStatus = {
  files: 1,
  bytes: 0,
  records: 0,
  oldest: null,
  newest: null,
  lost: 0,
  expired: 0,
  givenUp: 0,
  movedAside: 0,
};

/** Keeps what it gets, unless it is told to fail or to wait. */
class KeptFlows implements FlowStore {
  readonly logs: FlowLog[] = [];
  error: Error | undefined;
  gate: Promise<void> = Promise.resolve();
  retention: unknown;
  isClosed = false;

  readonly batches: number[] = [];

  async append(logs: readonly FlowLog[]): Promise<StoreStatus> {
    this.batches.push(logs.length);
    await this.gate;
    if (this.error !== undefined) throw this.error;
    this.logs.push(...logs);
    return { ...STATUS, records: this.logs.length };
  }

  async setRetention(retention: unknown): Promise<void> {
    this.retention = retention;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  list = async () => [];
  top = async () => [];
  graph = async () => [];
  status = async () => STATUS;
}

describe('what keeps flows', () => {
  let folder: string;
  let said: string[];
  let stores: KeptFlows[];
  let hub: FlowHub;
  let service: FlowStoreService;
  let now: number;

  beforeEach(() => {
    vi.useFakeTimers();
    folder = mkdtempSync(join(tmpdir(), 'tortie-keep-'));
    said = [];
    stores = [];
    now = START;
  });

  afterEach(async () => {
    await service.stop();
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  const options = (flowStore: FlowStoreOptions['flowStore']) => ({
    flowStore,
    flowStoreDays: 7,
    flowStoreBytes: 2 ** 30,
  });

  function start(flowStore: FlowStoreOptions['flowStore']): KeptFlows {
    const log = new Logger({ level: 'info', write: (line) => said.push(line) });
    hub = new FlowHub(log);
    const openStore = (): FlowStore => {
      const store = new KeptFlows();
      stores.push(store);
      return store;
    };
    service = new FlowStoreService({
      hub,
      stateDirectory: folder,
      log,
      options: options(flowStore),
      now: () => now,
      openStore,
    });
    return stores[0] as KeptFlows;
  }

  async function pass(ms: number): Promise<void> {
    now += ms;
    await vi.advanceTimersByTimeAsync(ms);
  }

  it('puts flows of one key and 15 seconds together unless every record is wanted', async () => {
    const store = start('aggregated');
    hub.publish([
      flowLog({ endTime: START + 1000 }),
      flowLog({ endTime: START + 2000, source: flowEnd({ name: 'web-5d4f-other' }) }),
    ]);
    await pass(5000);
    expect(store.logs).toEqual([]);
    await pass(11_000);
    expect(store.logs).toMatchObject([{ startTime: START, endTime: START + 15_000, bytesIn: 2000, flowsStarted: 2 }]);
    await service.configure(options('all'));
    expect(store.isClosed).toBe(true);
    hub.publish([flowLog(), flowLog()]);
    await pass(4000);
    expect(stores[1]?.logs).toEqual([flowLog(), flowLog()]);
  });

  it('counts flows of more keys than are put together, before and after it stops', async () => {
    start('aggregated');
    const ports = Array.from({ length: 65_535 }, (_, port) => flowLog({ destination: flowEnd({ port: 1 + port }) }));
    const more = Array.from({ length: 4 }, (_, port) =>
      flowLog({ destination: flowEnd({ port: 1 + port, name: 'other', aggregatedName: 'other' }) }),
    );
    hub.publish([...ports, ...more]);
    expect(service.status().lost).toBe(3);
    await service.configure(options('off'));
    expect(service.status().lost).toBe(3);
  });

  it('stores what is on the way when it stops', async () => {
    const store = start('aggregated');
    hub.publish([flowLog()]);
    await service.stop();
    expect(store.logs.length).toBe(1);
  });

  it('counts what a store that fails does not take, says so once, and goes on', async () => {
    const store = start('all');
    store.error = new Error('no such disk');
    for (let second = 0; second < 5; second += 1) {
      hub.publish([flowLog()]);
      await pass(3000);
    }
    expect(service.status()).toMatchObject({ handedOver: 0, lost: 5, error: 'no such disk' });
    expect(said.filter((line) => line.includes('flows are not stored')).length).toBe(1);
    store.error = undefined;
    hub.publish([flowLog()]);
    await pass(3000);
    expect(service.status()).toMatchObject({ handedOver: 1, lost: 5, error: null });
  });

  it('holds no more than it may while the store is busy, and counts the rest', async () => {
    const store = start('all');
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const many = Array.from({ length: 50_000 }, () => flowLog());
    for (let round = 0; round < 6; round += 1) hub.publish(many);
    expect(service.status().lost).toBeGreaterThan(90_000);
    open();
    await pass(1000);
    const { handedOver, lost } = service.status();
    expect(handedOver + lost).toBe(300_000);
  });

  it('hands over in batches of so many records, and of so many bytes, every few seconds', async () => {
    const store = start('all');
    const long = flowLog({ source: flowEnd({ labels: { text: 'x'.repeat(500_000) } }) });
    hub.publish(Array.from({ length: 8 }, () => long));
    hub.publish(Array.from({ length: 1600 }, () => flowLog()));
    await pass(1000);
    hub.publish([flowLog()]);
    await pass(1000);
    const before = store.batches.length;
    expect(Math.max(...store.batches)).toBeLessThan(2000);
    expect(store.batches[0]).toBe(4);
    expect(store.logs.length).toBe(1608);
    await pass(2000);
    expect([before + 1, store.logs.length]).toEqual([store.batches.length, 1609]);
  });

  it('keeps retention to what is set, also while nothing comes', async () => {
    const store = start('all');
    hub.publish([flowLog()]);
    await pass(61_000);
    expect(store.retention).toEqual({ days: 7, bytes: 2 ** 30 });
    await service.configure({ ...options('all'), flowStoreDays: 1 });
    expect(store.retention).toEqual({ days: 1, bytes: 2 ** 30 });
  });
});
