import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResourceStore } from '../../../../src/agent/store/resource-store.ts';
import { StoreSession } from '../../../../src/agent/store/session.ts';
import { Logger } from '../../../../src/base/log.ts';
import { finish } from '../../../../src/base/steps.ts';
import { tier } from '../../../support/agent/store-manifests.ts';
import { worldOf } from '../../../support/worlds/questions.ts';

const NOBODY = {
  world: worldOf([]),
  lookOut: () => undefined,
  fileOf: () => undefined,
  putStored: () => Promise.resolve(undefined),
};

let folder: string;
let session: StoreSession;
const log: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-session-'));
  log.length = 0;
  session = open();
});

afterEach(async () => {
  await session.close();
  rmSync(folder, { recursive: true });
});

function open(): StoreSession {
  return new StoreSession(folder, NOBODY, new Logger({ level: 'info', write: (line) => log.push(line) }));
}

async function keep(...manifests: Record<string, unknown>[]): Promise<void> {
  const store = ResourceStore.open(folder);
  const changes = manifests.map((manifest, at) => {
    const id = `Tier//${at}`;
    return { id, after: { id, manifest, revision: 1, generation: 1, uid: 'u', created: '2026-01-01T00:00:00Z' } };
  });
  store.commit({ time: '2026-01-01T00:00:00Z', who: { kind: 'agent' }, from: {}, verb: 'apply', changes });
  await store.close();
}

describe('a session', () => {
  it('makes no store until one is needed', () => {
    expect(finish(session.loading())).toEqual([]);
    expect([session.status(), session.isPending, existsSync(join(folder, 'store.mdb'))]).toEqual([null, false, false]);
    expect(session.store.revision).toBe(0);
    expect([session.status()?.revision, existsSync(join(folder, 'store.mdb'))]).toEqual([0, true]);
  });

  it('loads what is stored, and says of what it cannot read that it is not in force', async () => {
    await keep(tier('0', 1), { ...tier('1', 1), spec: { ordr: 1 } }, tier('2', 2));
    const resources = finish(session.loading());
    expect(resources.map(({ name }) => name)).toEqual(['0', '2']);
    expect(log.join('\n')).toMatch(/a stored object is not in force.*Tier\/\/1/);
    expect(session.status()).toEqual({ revision: 1, objects: 3, pending: null, undoError: null });
  });

  it('gives one store and one desk until it is closed', async () => {
    const { store, desk } = session;
    expect([session.store, session.desk]).toEqual([store, desk]);
    await session.close();
    expect(session.status()).toBe(null);
    session = open();
    expect(session.store).not.toBe(store);
  });
});
