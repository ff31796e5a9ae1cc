// The agent's end of the store of flows, with a process that cannot be started, ends at once, hangs, or answers in parts.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreClient } from '../../../../src/agent/flows/store-client.ts';
import type { StoreReply, StoreRequest } from '../../../../src/agent/flows/store-messages.ts';
import { Logger } from '../../../../src/base/log.ts';
import { EVERY_FLOW } from '../../../../src/observe/flow-query/filter.ts';
import { flowLog } from '../../../support/flow-logs.ts';

const LIST = { filter: EVERY_FLOW, sort: 'time', limit: 10 } as const;

/** As node:child_process has it when there is no descriptor left: an error that comes later, and nothing else. */
class NeverStarted extends EventEmitter {
  constructor() {
    super();
    process.nextTick(() => this.emit('error', new Error('spawn EMFILE')));
  }

  ref(): void {}
  unref(): void {}
}

class Started extends NeverStarted {
  connected = true;
  killed: string[] = [];
  asked: StoreRequest[] = [];
  readonly #answer: (request: StoreRequest, reply: (reply: StoreReply) => void) => void;

  constructor(answer: (request: StoreRequest, reply: (reply: StoreReply) => void) => void) {
    super();
    this.removeAllListeners();
    this.emit = (name: string | symbol, ...rest: unknown[]) =>
      name === 'error' ? false : EventEmitter.prototype.emit.call(this, name, ...rest);
    this.#answer = answer;
  }

  send(request: StoreRequest, done: (error: null) => void): boolean {
    this.asked.push(request);
    this.#answer(request, (reply) => this.emit('message', reply));
    done(null);
    return true;
  }

  disconnect(): void {
    this.connected = false;
    this.emit('exit', 0, null);
  }

  kill(signal: string): void {
    this.killed.push(signal);
  }
}

let said: string[];
let started: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  said = [];
  started = 0;
});
afterEach(() => void vi.useRealTimers());

function open(start: () => unknown): StoreClient {
  return new StoreClient({
    directory: '/nowhere',
    retention: { days: 1, bytes: 2 ** 30 },
    log: new Logger({ level: 'info', write: (line) => said.push(line) }),
    start: () => {
      started += 1;
      return start() as ChildProcess;
    },
    random: () => 1,
  });
}

/** Once a second, for so long. */
async function keepAsking(client: StoreClient, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await client.append([flowLog()]).catch((error: unknown) => expect(error).toMatchObject({ code: 'STORE_FAILED' }));
    await vi.advanceTimersByTimeAsync(1000);
  }
}

describe('the store process', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('spawn ENOMEM');
      },
    ],
    ['says so later', () => new NeverStarted()],
  ])(
    'that cannot be started is the store’s failure alone, and is tried less and less often: it %s',
    async (_, start) => {
      const client = open(start);
      await keepAsking(client, 60);
      const first = started;
      await keepAsking(client, 60);
      expect(first).toBeGreaterThanOrEqual(4);
      expect(first).toBeLessThanOrEqual(6);
      expect(started - first).toBeLessThanOrEqual(1);
      await expect(client.status()).rejects.toThrow(/spawn E(?:NOMEM|MFILE)/);
      await client.close();
    },
  );

  it('is started again soon after one that had lived for long', async () => {
    const child = () => new Started(({ id }, reply) => reply({ id, answer: { lost: 0 } }));
    let last = child();
    const client = open(() => (last = child()));
    for (let life = 0; life < 6; life += 1) {
      await keepAsking(client, 200);
      last.connected = false;
      last.emit('exit', null, 'SIGKILL');
    }
    expect(started).toBe(6);
    await client.close();
  });

  it('that hangs is ended, and what was asked of it fails', async () => {
    const hanging = new Started(({ id, call }, reply) => void (call === 'open' && reply({ id, answer: null })));
    hanging.disconnect = () => {
      hanging.connected = false;
    };
    const client = open(() => hanging);
    const asked = client.append([flowLog()]).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(await asked).toMatchObject({ code: 'STORE_FAILED' });
    expect(hanging.killed).toEqual(['SIGKILL']);
    expect(said.join()).toContain('no answer in 60 s');
    await client.close();
  });

  it('is told how long somebody waits for an answer, and may give it in parts', async () => {
    const child = new Started(({ id, call }, reply) => {
      if (call !== 'list') return reply({ id, answer: null });
      reply({ id, part: [1, 2] });
      reply({ id, part: [3] });
      reply({ id, answer: [4] });
    });
    const client = open(() => child);
    expect(await client.list(LIST)).toEqual([1, 2, 3, 4]);
    expect(child.asked.map(({ call, withinMs }) => [call, withinMs !== undefined])).toEqual([
      ['open', false],
      ['list', true],
    ]);
    await client.close();
  });
});
