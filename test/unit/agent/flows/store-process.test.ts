// In which order the process that keeps flows does what it is asked, and how much of an answer goes over the channel at once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { StoreCall, StoreReply, StoreRequest } from '../../../../src/agent/flows/store-messages.ts';
import { StoreProcess } from '../../../../src/agent/flows/store-process.ts';
import { EVERY_FLOW } from '../../../../src/observe/flow-query/filter.ts';
import { flowLog } from '../../../support/flow-logs.ts';

const LIST = { filter: EVERY_FLOW, sort: 'time', limit: 10_000 } as const;

let folder: string;
let replies: StoreReply[];
let server: StoreProcess;
let lastId: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-process-'));
  replies = [];
  lastId = 0;
  server = new StoreProcess((reply) => void replies.push(reply));
  ask('open', { directory: join(folder, 'flows'), retention: { days: 3650, bytes: 2 ** 30 } });
  await vi.waitFor(() => expect(answered()).toEqual([1]), { timeout: 10_000 });
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function ask(call: StoreCall, what: unknown, withinMs?: number): number {
  lastId += 1;
  server.take({ id: lastId, call, what, withinMs } as StoreRequest);
  return lastId;
}

/** In their order. */
function answered(): number[] {
  return replies.flatMap((reply) => ('id' in reply && !('part' in reply) ? [reply.id] : []));
}

it('writes before it answers questions that came earlier', async () => {
  const [first, second] = [ask('list', LIST), ask('list', LIST)];
  const writes = [ask('append', { logs: [flowLog()] }), ask('append', { logs: [flowLog()] })];
  await vi.waitFor(() => expect(answered()).toHaveLength(5), { timeout: 10_000 });
  expect(answered()).toEqual([1, first, ...writes, second]);
});

it('goes on with what comes the moment it is done', async () => {
  let [last, left] = [0, 20];
  server = new StoreProcess((reply) => {
    if (!('id' in reply) || left === 0) return;
    left -= 1;
    // As many turns of the queue later as it takes to have come to rest, or not quite.
    let turns = left % 5;
    const next = (): void => {
      turns -= 1;
      if (turns >= 0) queueMicrotask(next);
      else last = ask('status', {});
    };
    next();
  });
  ask('open', { directory: join(folder, 'others'), retention: { days: 1, bytes: 2 ** 30 } });
  await vi.waitFor(() => expect(left).toBe(0), { timeout: 10_000 });
  expect(last).toBeGreaterThan(20);
});

it('does not begin with a question that nobody waits for any more', async () => {
  ask('append', { logs: [flowLog()] });
  const late = ask('list', LIST, 0);
  await vi.waitFor(() => expect(answered()).toContain(late), { timeout: 10_000 });
  expect(replies.at(-1)).toMatchObject({ id: late, error: { code: 'QUERY_TOO_COSTLY' } });
});

it('gives a long answer in parts, all of it', async () => {
  ask('append', { logs: Array.from({ length: 1100 }, () => flowLog()) });
  const list = ask('list', LIST);
  await vi.waitFor(() => expect(answered()).toContain(list), { timeout: 10_000 });
  const sizes = replies.flatMap((reply) => {
    if (!('id' in reply) || reply.id !== list || 'error' in reply) return [];
    return [('part' in reply ? reply.part : (reply.answer as unknown[])).length];
  });
  expect(sizes.reduce((sum, count) => sum + count, 0)).toBe(1100);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(250);
});

it('writes what it was given before it ends, and answers no more questions', async () => {
  ask('list', LIST);
  const asked = ask('list', LIST);
  const write = ask('append', { logs: [flowLog()] });
  await server.close();
  expect(answered()).toContain(write);
  expect(answered()).not.toContain(asked);
});
