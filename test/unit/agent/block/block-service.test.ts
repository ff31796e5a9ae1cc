import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlockService } from '../../../../src/agent/block/block-service.ts';
import type { Clock } from '../../../../src/agent/block/clock.ts';
import type { Actor } from '../../../../src/agent/store/actor.ts';
import { Logger } from '../../../../src/base/log.ts';
import { TableEnforcement } from '../../../support/block/table-enforcement.ts';

const ANN: Actor = { who: { kind: 'certificate', commonName: 'ann' }, from: {} };
const FILES: Readonly<Record<string, string>> = { '/etc/resolv.conf': 'nameserver 192.0.2.53\n' };

class HandClock implements Clock {
  #now = Date.parse('2026-01-01T00:00:00Z');
  readonly #alarms = new Map<() => void, number>();

  nowMs(): number {
    return this.#now;
  }

  wakeAt(ms: number, callback: () => void): () => void {
    this.#alarms.set(callback, ms);
    return () => this.#alarms.delete(callback);
  }

  get waiting(): number {
    return this.#alarms.size;
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const [callback, at] of this.#alarms) {
      if (at > this.#now) continue;
      this.#alarms.delete(callback);
      callback();
    }
  }
}

async function* lines(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('block service', () => {
  let folder: string;
  let clock: HandClock;
  let enforcement: TableEnforcement;
  let service: BlockService;
  let log: string[];

  function open(): BlockService {
    enforcement = new TableEnforcement();
    const logger = new Logger({ level: 'info', write: (line) => log.push(line) });
    return new BlockService({ stateDirectory: folder, enforcement, log: logger, clock, read: (path) => FILES[path] });
  }

  async function restart(): Promise<void> {
    await service.close();
    service = open();
    await service.start();
  }

  /** The service answers in turn, so all that was begun before is done. */
  const settle = () => service.remove(['203.0.113.99']).catch(() => undefined);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-block-'));
    clock = new HandClock();
    log = [];
    service = open();
    await service.start();
  });

  afterEach(async () => {
    await service.close();
    rmSync(folder, { recursive: true });
  });

  it('is in force when the answer comes, and through a restart', async () => {
    const terms = { ttl: '1h', reason: 'flood' };
    expect(await service.add(['198.51.100.7', '2001:db8::/48'], terms, ANN)).toMatchObject({ added: 2, replaced: 0 });
    const asked = ['198.51.100.7', '198.51.100.8', '2001:db8::9', '2001:db8:1::9'];
    expect(enforcement.dropped(...asked)).toEqual(['198.51.100.7', '2001:db8::9']);
    const { list } = service.report();
    expect(list[0]).toEqual({
      cidr: '198.51.100.7/32',
      who: ANN.who,
      added: '2026-01-01T00:00:00.000Z',
      until: '2026-01-01T01:00:00.000Z',
      reason: 'flood',
    });
    await restart();
    expect([enforcement.dropped(...asked), service.report().list]).toEqual([['198.51.100.7', '2001:db8::9'], list]);
    expect(enforcement.isAttached).toBe(true);
  });

  it('is in force before it goes to the disk, and says after how long', async () => {
    let wasOnDisk: boolean | undefined;
    enforcement.onSettle = () => {
      wasOnDisk ??= existsSync(join(folder, 'blocks.mdb'));
    };
    const begin = performance.now();
    const { inForceMs } = await service.add(['198.51.100.7'], { askedAtMs: begin - 1000 }, ANN);
    expect(wasOnDisk).toBe(false);
    expect(inForceMs).toBeGreaterThanOrEqual(1000);
    expect(inForceMs).toBeLessThanOrEqual(performance.now() - begin + 1001);
    expect((await service.remove(['198.51.100.7'])).inForceMs).toBeGreaterThan(0);
    expect((await service.putFeed('drop', lines('203.0.113.0/24\n'), {}, ANN)).inForceMs).toBeGreaterThan(0);
  });

  it('refuses a feed of a hundred million lines by the stated limit, and changes nothing', async () => {
    await service.putFeed('drop', lines('198.51.100.7\n'), {}, ANN);
    const chunk = Buffer.from('20.0.0.1\n'.repeat(100_000));
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; read < 1000; read += 1) yield chunk;
    }
    await expect(service.putFeed('drop', endless(), {}, ANN)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('at most 10000000'),
    });
    expect([read, enforcement.dropped('198.51.100.7', '20.0.0.1')]).toEqual([1000, ['198.51.100.7']]);
  });

  it('leaves no file and no program where nothing was ever blocked', async () => {
    await restart();
    expect([enforcement.isAttached, service.status()]).toMatchObject([false, { entries: 0, feeds: 0, error: null }]);
  });

  it('says of an address who blocks it', async () => {
    await service.add(['198.51.100.0/24'], {}, ANN);
    await service.putFeed('drop', lines('198.51.100.7\n'), {}, ANN);
    expect(service.test('198.51.100.7')).toMatchObject({
      isBlocked: true,
      by: [
        { kind: 'feed', cidr: '198.51.100.7/32', feed: { name: 'drop' } },
        { kind: 'entry', cidr: '198.51.100.0/24' },
      ],
    });
    expect(service.test('198.51.101.7')).toEqual({ address: '198.51.101.7', isBlocked: false, by: [] });
    expect(() => service.test('198.51.100.0/24')).toThrowError(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('takes out what is in the list, all or nothing, and says where the rest is', async () => {
    await service.add(['198.51.100.7', '198.51.100.8'], {}, ANN);
    await service.putFeed('drop', lines('203.0.113.0/24'), {}, ANN);
    await expect(service.remove(['198.51.100.7', '203.0.113.0/24'])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('in the feed drop'),
    });
    expect(await service.remove(['198.51.100.7'])).toMatchObject({ removed: 1 });
    expect(enforcement.dropped('198.51.100.7', '198.51.100.8')).toEqual(['198.51.100.8']);
  });

  it('keeps what another still wants', async () => {
    await service.add(['198.51.100.7'], {}, ANN);
    await service.putFeed('a', lines('198.51.100.7\n198.51.100.8'), {}, ANN);
    await service.putFeed('b', lines('198.51.100.8'), {}, ANN);
    await service.remove(['198.51.100.7']);
    expect(enforcement.dropped('198.51.100.7', '198.51.100.8')).toEqual(['198.51.100.7', '198.51.100.8']);
    await service.removeFeed('a');
    expect(enforcement.dropped('198.51.100.7', '198.51.100.8')).toEqual(['198.51.100.8']);
    await service.removeFeed('b');
    expect([enforcement.dropped('198.51.100.8'), enforcement.isAttached]).toEqual([[], false]);
  });

  it('ends each at its time, also what ended while no agent ran', async () => {
    await service.add(['198.51.100.1'], { ttl: '1h' }, ANN);
    await service.add(['198.51.100.2'], { ttl: '30m' }, ANN);
    await service.putFeed('drop', lines('198.51.100.3'), { ttl: '2h' }, ANN);
    await service.add(['198.51.100.4'], {}, ANN);
    const all = [1, 2, 3, 4].map((last) => `198.51.100.${last}`);
    clock.pass(29 * 60_000);
    await settle();
    expect(enforcement.dropped(...all)).toEqual(all);
    clock.pass(60_000);
    await settle();
    expect(enforcement.dropped(...all)).toEqual(['198.51.100.1', '198.51.100.3', '198.51.100.4']);
    await service.close();
    clock.pass(24 * 3_600_000);
    service = open();
    await service.start();
    expect([enforcement.dropped(...all), clock.waiting]).toEqual([['198.51.100.4'], 0]);
    await restart();
    expect(service.report().list.map(({ cidr }) => cidr)).toEqual(['198.51.100.4/32']);
  });

  it('gives new terms to what is blocked already', async () => {
    await service.add(['198.51.100.1'], { ttl: '1h', reason: 'first' }, ANN);
    expect(await service.add(['198.51.100.1'], { reason: 'second' }, ANN)).toMatchObject({ added: 0, replaced: 1 });
    clock.pass(7_200_000);
    await settle();
    expect([enforcement.dropped('198.51.100.1'), service.report().list[0]?.reason]).toEqual([
      ['198.51.100.1'],
      'second',
    ]);
  });

  it('replaces a feed at once, and tells of its bad lines', async () => {
    await service.putFeed('drop', lines('198.51.100.0/24\n203.0.', '113.0/24\n'), {}, ANN);
    const outcome = await service.putFeed('drop', lines('198.51.100.0/24\nnonsense\n203.0.112.0/24\n'), {}, ANN);
    expect(outcome).toMatchObject({ added: 2, removed: 2, badCount: 1, bad: [{ line: 2, text: 'nonsense' }] });
    const asked = ['198.51.100.1', '203.0.113.1', '203.0.112.1'];
    expect(enforcement.dropped(...asked)).toEqual(['198.51.100.1', '203.0.112.1']);
    await restart();
    expect(enforcement.dropped(...asked)).toEqual(['198.51.100.1', '203.0.112.1']);
    expect(service.report().feedList).toMatchObject([{ name: 'drop', prefixes: 2, badLines: 1 }]);
  });

  it('locks nobody out unless forced: a named prefix is refused, a line of a file is left out', async () => {
    await expect(service.add(['198.51.100.1', '192.0.2.0/24'], {}, ANN)).rejects.toMatchObject({
      code: 'LOCKS_OUT',
      message: expect.stringContaining('contains 192.0.2.53, which is a name server'),
    });
    expect(enforcement.dropped('198.51.100.1', '192.0.2.53')).toEqual([]);
    const outcome = await service.putFeed('bogons', lines('192.0.2.0/24\n198.51.100.0/24\n'), {}, ANN);
    expect(outcome).toMatchObject({ added: 1, bad: [{ line: 1, text: '192.0.2.0/24' }] });
    await service.addFile(lines('192.0.2.53'), {}, ANN);
    expect(enforcement.dropped('192.0.2.53', '198.51.100.1')).toEqual(['198.51.100.1']);
    await service.add(['192.0.2.0/24'], { isForced: true }, ANN);
    expect(enforcement.dropped('192.0.2.53')).toEqual(['192.0.2.53']);
  });

  it.each([
    ['10.1.2.3/8', 'INVALID_REQUEST', /10\.0\.0\.0\/8 or 10\.1\.2\.3 meant/],
    ['nonsense', 'INVALID_REQUEST', /neither an address nor a prefix/],
    ['', 'INVALID_REQUEST', /neither/],
  ])('refuses %j', async (text, code, message) => {
    await expect(service.add([text], {}, ANN)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each([
    [{ ttl: '1y' }, /no time to live/],
    [{ reason: 'x'.repeat(201) }, /too long/],
  ])('refuses the terms %j', async (terms, message) => {
    await expect(service.add(['198.51.100.1'], terms, ANN)).rejects.toThrow(message);
    expect(service.status().entries).toBe(0);
  });

  it.each(['', 'A', '-a', 'a/b', '..', 'a'.repeat(64)])('refuses a feed of the name %j', async (name) => {
    await expect(service.putFeed(name, lines(''), {}, ANN)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('changes nothing that does not fit', async () => {
    await service.add(['198.51.100.1'], {}, ANN);
    enforcement.room = enforcement.words.length / 1024;
    const many = Array.from(
      { length: 40_000 },
      (_, index) =>
        `${20 + (index >> 14)}.${(index >> 6) & 255}.${index & 63}.${Math.imul(index, 2654435761) >>> 24}\n`,
    );
    await expect(service.putFeed('big', lines(...many), {}, ANN)).rejects.toMatchObject({ code: 'TABLE_FULL' });
    expect([enforcement.dropped('198.51.100.1', '20.0.0.0'), service.report().feedList]).toEqual([
      ['198.51.100.1'],
      [],
    ]);
    await restart();
    expect(service.report()).toMatchObject({ entries: 1, feeds: 0 });
  });

  it('refuses more entries than the list takes, early, and points to feeds', async () => {
    const many = Array.from(
      { length: 100_001 },
      (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}\n`,
    );
    await expect(service.addFile(lines(...many), {}, ANN)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(service.status().entries).toBe(0);
  });

  it('reads a refused upload to its end: who writes it must come to read the answer', async () => {
    let isRead = false;
    async function* upload(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('1.1.1.1\n'.repeat(100_001));
      yield Buffer.from('1.1.1.1\n');
      isRead = true;
    }
    await expect(service.addFile(upload(), {}, ANN)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(isRead).toBe(true);
  });

  it('makes edits one after the other, in the order in which they came', async () => {
    const outcomes = await Promise.all([
      service.add(['198.51.100.1'], {}, ANN),
      service.add(['198.51.100.2'], {}, ANN),
      service.remove(['198.51.100.1']),
      service.add(['198.51.100.1', '198.51.100.3'], {}, ANN),
      service.remove(['198.51.100.2', '198.51.100.3']),
    ]);
    expect(outcomes.map(({ added, removed }) => added - removed)).toEqual([1, 1, -1, 2, -2]);
    const all = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
    expect(enforcement.dropped(...all)).toEqual(['198.51.100.1']);
  });

  it('touches nothing where the stored list cannot be read: what is attached stays, and edits say why', async () => {
    await service.close();
    writeFileSync(join(folder, 'blocks.mdb'), 'no database at all'.repeat(1000));
    service = open();
    await service.start();
    expect([enforcement.isAttached, service.status().error]).toEqual([false, expect.stringContaining('blocks.mdb')]);
    await expect(service.add(['198.51.100.1'], {}, ANN)).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(enforcement.dropped('198.51.100.1')).toEqual([]);
  });
});
