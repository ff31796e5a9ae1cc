// How a watch goes on where its answer has broken off. The agent is a list of answers, and the time a number.
import { describe, expect, it } from 'vitest';
import { DataplaneError } from '../../../src/base/errors.ts';
import { Follower } from '../../../src/cli/object-follower.ts';
import type { WatchEvent } from '../../../src/cli/resource-client.ts';

type Said = readonly [type: WatchEvent['type'], version: number, name?: string];

/** One answer of a watch: its events, and what ends it. */
interface Answer {
  readonly says?: readonly Said[];
  readonly ends?: DataplaneError;
  readonly takesMs?: number;
}

const AWAY = new DataplaneError('AGENT_UNREACHABLE', 'no agent answers', { operation: 'connect', target: 'socket' });
const GONE = new DataplaneError('REVISION_GONE', 'history does not go back so far', {
  operation: 'watch',
  target: 'objects',
});
const CUT = AWAY;
const LAST = new DataplaneError('INTERNAL', 'the test is over', { operation: 'watch', target: 'objects' });
const REF = { type: 'Tier' } as const;

function eventOf([type, version, name = '']: Said): WatchEvent {
  return { type, object: { metadata: { name, resourceVersion: String(version) } } };
}

/** Follows such an agent until its answers are at an end: what was shown, and from which revisions it was asked. */
async function follow(
  answers: readonly Answer[],
  { since = '5', lists = [] as readonly (readonly Said[] | DataplaneError)[] } = {},
): Promise<{ shown: string[]; from: (string | undefined)[]; failure: unknown; nowMs: number }> {
  const shown: string[] = [];
  const from: (string | undefined)[] = [];
  const rest = [...answers, { ends: LAST }];
  const listed = [...lists];
  let nowMs = 0;
  const client = {
    list: async () => {
      const found = listed.shift() ?? [];
      if (found instanceof DataplaneError) throw found;
      const versions = found.map(([, version]) => version);
      return { items: found.map((said) => eventOf(said).object), resourceVersion: String(Math.max(5, ...versions)) };
    },
    watch: async function* (_: unknown, { resourceVersion }: { resourceVersion?: string } = {}) {
      from.push(resourceVersion);
      const { says = [], ends, takesMs = 0 } = rest.shift() as Answer;
      yield* says.map(eventOf);
      nowMs += takesMs;
      if (ends !== undefined) throw ends;
    },
  };
  const clock = {
    now: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const followed = { ref: REF, selectors: {}, ...(lists.length > 0 ? {} : { since }) };
  const use = async ({ type, object }: WatchEvent): Promise<void> => {
    const { name, resourceVersion } = object.metadata as { name: string; resourceVersion: string };
    shown.push(`${type} ${name} ${resourceVersion}`);
  };
  const failure = await new Follower(client, followed, use, clock).follow().catch((error: unknown) => error);
  return { shown, from, failure: failure === LAST ? undefined : failure, nowMs };
}

describe('a watch that is taken up again', () => {
  it('shows the rest of a change that broke off, and no event twice', async () => {
    const change: readonly Said[] = [
      ['ADDED', 6, 'a'],
      ['ADDED', 6, 'b'],
      ['DELETED', 6, 'c'],
    ];
    const answers = [{ says: change.slice(0, 1), ends: CUT }, { says: [...change, ['BOOKMARK', 6] as const] }, {}];
    const { shown, from } = await follow(answers);
    expect(shown).toEqual(['ADDED a 6', 'ADDED b 6', 'DELETED c 6']);
    expect(from).toEqual(['5', '5', '6', '6']);
  });

  it('goes on from the change before the last one, which may not be whole', async () => {
    const says: readonly Said[] = [
      ['ADDED', 6, 'a'],
      ['MODIFIED', 7, 'a'],
      ['MODIFIED', 9, 'a'],
    ];
    const { shown, from } = await follow([{ says, ends: CUT }, { says: says.slice(2) }]);
    expect(shown).toEqual(['ADDED a 6', 'MODIFIED a 7', 'MODIFIED a 9']);
    expect(from).toEqual(['5', '7', '7']);
  });

  it('never goes back for an object that is older than the change that shows it', async () => {
    const says: readonly Said[] = [
      ['MODIFIED', 2, 'uncovered'],
      ['ADDED', 6, 'b'],
    ];
    const { shown, from } = await follow([{ says, ends: CUT }, { says }]);
    expect(shown).toEqual(['MODIFIED uncovered 2', 'ADDED b 6']);
    expect(from).toEqual(['5', '5', '5']);
  });

  it('shows the same change of an object again when it comes again', async () => {
    const says: readonly Said[] = [
      ['ADDED', 6, 'a'],
      ['BOOKMARK', 6],
      ['DELETED', 7, 'a'],
      ['ADDED', 8, 'a'],
    ];
    expect((await follow([{ says }])).shown).toEqual(['ADDED a 6', 'DELETED a 7', 'ADDED a 8']);
  });
});

describe('a watch whose agent goes away', () => {
  it('goes on after any number of restarts, however far apart they are', async () => {
    const says: readonly Said[] = [['BOOKMARK', 5]];
    const restart: Answer = { says, ends: CUT, takesMs: 3_600_000 };
    const { failure, from } = await follow([restart, restart, restart]);
    expect(failure).toBeUndefined();
    expect(from).toHaveLength(4);
  });

  it('gives up on one that stays away', async () => {
    const { failure, nowMs } = await follow(Array.from({ length: 1000 }, () => ({ ends: CUT })));
    expect(failure).toBe(AWAY);
    expect(nowMs).toBeGreaterThanOrEqual(30_000);
    expect(nowMs).toBeLessThan(31_000);
  });

  it('lists again where history has gone on without it, and waits for an agent that is away just then', async () => {
    const lists: (readonly Said[] | DataplaneError)[] = [[['ADDED', 5, 'a']], AWAY, [['ADDED', 40, 'b']]];
    const { shown, from, failure } = await follow([{ ends: GONE }, {}], { lists });
    expect(failure).toBeUndefined();
    expect(shown).toEqual(['ADDED a 5', 'ADDED b 40']);
    expect(from).toEqual(['5', '40', '40']);
  });

  it('says so at once when it was never there, and when the revision it starts from is gone', async () => {
    expect(await follow([], { lists: [AWAY] })).toMatchObject({ failure: AWAY, from: [], nowMs: 0 });
    expect((await follow([{ ends: GONE }])).failure).toBe(GONE);
  });
});
