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
  lastSequence: 0,
  lost: 0,
  expired: 0,
  givenUp: 0,
  movedAside: 0,
};

/** Keeps what it gets, once, unless it is told to fail or to wait. */
class KeptFlows implements FlowStore {
  readonly logs: FlowLog[] = [];
  error: Error | undefined;
  /** It has what it got, and ends before it can say so. */
  endsAfter = false;
  lost = 0;
  isDown = false;
  gate: Promise<void> = Promise.resolve();
  retention: unknown;
  retentionError: Error | undefined;
  isClosed = false;

  readonly batches: number[] = [];

  async append(logs: readonly FlowLog[], after = Number.POSITIVE_INFINITY): Promise<StoreStatus> {
    this.batches.push(logs.length);
    await this.gate;
    if (this.error !== undefined) throw this.error;
    if (this.logs.length <= after) this.logs.push(...logs);
    if (this.endsAfter) throw new Error('ended');
    return this.#now();
  }

  async status(): Promise<StoreStatus> {
    if (this.isDown) throw new Error('down');
    return this.#now();
  }

  #now(): StoreStatus {
    return { ...STATUS, records: this.logs.length, lastSequence: this.logs.length, lost: this.lost };
  }

  async setRetention(retention: unknown): Promise<void> {
    if (this.retentionError !== undefined) throw this.retentionError;
    this.retention = retention;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  list = async () => [];
  top = async () => [];
  graph = async () => [];
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
    for (const store of stores) store.isDown = false;
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

  it('holds what comes while the store is down, says so once, and hands all of it over when it is back', async () => {
    const store = start('all');
    store.isDown = true;
    for (let second = 0; second < 20; second += 1) {
      hub.publish([flowLog({ bytesIn: second })]);
      await pass(3000);
    }
    expect(service.status()).toMatchObject({ handedOver: 0, lost: 0, waiting: 20, error: 'down' });
    expect(said.filter((line) => line.includes('flows are not stored')).length).toBe(1);
    store.isDown = false;
    await pass(3000);
    expect(store.logs.map(({ bytesIn }) => bytesIn)).toEqual(Array.from({ length: 20 }, (_, second) => second));
    expect(service.status()).toMatchObject({ handedOver: 20, lost: 0, waiting: 0, error: null });
  });

  it('stores each record once, also where the store ended between writing and saying so', async () => {
    const store = start('all');
    hub.publish(Array.from({ length: 5000 }, (_, bytesIn) => flowLog({ bytesIn })));
    store.endsAfter = true;
    await pass(3000);
    expect([store.logs.length, service.status().waiting]).toEqual([2000, 5000]);
    store.endsAfter = false;
    await pass(3000);
    expect(store.logs.map(({ bytesIn }) => bytesIn)).toEqual(Array.from({ length: 5000 }, (_, bytesIn) => bytesIn));
    expect(service.status()).toMatchObject({ handedOver: 5000, lost: 0, waiting: 0 });
  });

  it('gives up a batch that a store which is there does not take, again and again, and goes on with the next', async () => {
    const store = start('all');
    store.error = new Error('ended by it');
    hub.publish([flowLog()]);
    for (let turn = 0; turn < 4; turn += 1) await pass(2000);
    expect(service.status()).toMatchObject({ lost: 0, waiting: 1 });
    await pass(2000);
    expect(service.status()).toMatchObject({ lost: 1, waiting: 0, error: 'ended by it' });
    store.error = undefined;
    hub.publish([flowLog()]);
    await pass(2000);
    expect(service.status()).toMatchObject({ handedOver: 1, lost: 1, waiting: 0, error: null });
  });

  it.each(['busy', 'down'])('holds no more than it may while the store is %s, and counts the rest', async (how) => {
    const store = start('all');
    let open = (): void => undefined;
    store.isDown = how === 'down';
    if (how === 'busy') {
      store.gate = new Promise((resolve) => {
        open = resolve;
      });
    }
    const many = Array.from({ length: 50_000 }, () => flowLog());
    for (let round = 0; round < 6; round += 1) hub.publish(many);
    const { lost, waiting } = service.status();
    expect(waiting).toBeGreaterThan(100_000);
    expect(lost + waiting).toBe(300_000);
    open();
    store.isDown = false;
    await pass(2000);
    expect(service.status()).toMatchObject({ handedOver: 300_000 - lost, lost, waiting: 0 });
    expect(store.logs.length).toBe(300_000 - lost);
  });

  it('holds no more records than it may, however small they are', async () => {
    const store = start('all');
    store.isDown = true;
    const nobody = {
      type: 'net',
      namespace: '',
      name: '',
      aggregatedName: '',
      address: '',
      port: 0,
      labels: {},
    } as const;
    const small = flowLog({ source: nobody, destination: nobody, enforced: [], pending: [] });
    for (let round = 0; round < 5; round += 1) hub.publish(Array.from({ length: 50_000 }, () => small));
    expect(service.status()).toMatchObject({ waiting: 200_000, lost: 50_000 });
  });

  it('counts and says what is left when it stops while the store is down, and waits for a store that comes back', async () => {
    start('all').isDown = true;
    hub.publish([flowLog(), flowLog()]);
    const off = service.configure(options('off'));
    await pass(6000);
    await off;
    expect(service.status()).toMatchObject({ lost: 2, waiting: 0 });
    expect(said.join()).toContain('the last flows were not stored');
    await service.configure(options('all'));
    const [, store] = stores as [KeptFlows, KeptFlows];
    store.isDown = true;
    hub.publish([flowLog()]);
    const stopped = service.stop();
    await pass(2000);
    store.isDown = false;
    await pass(2000);
    await stopped;
    expect([store.logs.length, service.status().lost]).toEqual([1, 2]);
  });

  it('does not forget what a store that was closed could not write', async () => {
    const store = start('all');
    store.lost = 7;
    hub.publish([flowLog()]);
    await pass(3000);
    expect(service.status()).toMatchObject({ lost: 7, notWritten: 7 });
    await service.configure(options('off'));
    expect(service.status()).toMatchObject({ lost: 7, notWritten: 7 });
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

  it('says no longer that the store has failed once it answers again, also while no flow comes', async () => {
    const store = start('all');
    store.retentionError = new Error('busy');
    await service.configure({ ...options('all'), flowStoreDays: 1 });
    await pass(130_000);
    expect(service.status()).toMatchObject({ handedOver: 0, error: 'busy' });
    store.retentionError = undefined;
    store.isDown = true;
    await pass(70_000);
    expect(service.status().error).toBe('down');
    store.isDown = false;
    await pass(70_000);
    expect(service.status()).toMatchObject({ handedOver: 0, error: null });
    expect(store.retention).toEqual({ days: 1, bytes: 2 ** 30 });
  });

  it('says that flows cannot be written until one is, or none has come for a while', async () => {
    const store = start('all');
    store.error = new Error('disk full');
    for (let round = 0; round < 10; round += 1) {
      hub.publish([flowLog()]);
      for (let turn = 0; turn < 8; turn += 1) await pass(2000);
      expect(service.status()).toMatchObject({ lost: round + 1, waiting: 0, error: 'disk full' });
    }
    await pass(60_000);
    expect(service.status()).toMatchObject({ lost: 10, error: null });
  });
});
