import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../../../src/agent/store/history.ts';
import { changesOf } from '../../../../src/agent/store/introduced.ts';
import type { StoredObject } from '../../../../src/agent/store/stored-object.ts';

const ID = 'NetworkPolicy/shop/web';
const A = { action: 'Allow', protocol: 'TCP' };
const B = { action: 'Deny' };

function object(revision: number, ...ingress: readonly object[]): StoredObject {
  return { id: ID, manifest: { spec: { ingress } }, revision, generation: revision, uid: 'u', created: '' };
}

function entry(
  revision: number,
  before: StoredObject | undefined,
  after: StoredObject | undefined,
  id = ID,
): HistoryEntry {
  const changes = [{ id, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
  const time = `2026-01-01T00:00:0${revision}.000Z`;
  return { revision, time, who: { kind: 'agent' }, from: {}, verb: 'apply', changes };
}

const versions = [object(1, B), object(2, A, B), object(4, A, B, B)] as const;
const history = [
  entry(4, versions[1], versions[2]),
  entry(3, undefined, object(3), 'NetworkPolicy/shop/other'),
  entry(2, versions[0], versions[1]),
  entry(1, undefined, versions[0]),
];
const changes = changesOf({ entriesOf: () => history, get: (id) => (id === ID ? versions[2] : undefined) });

describe('changesOf', () => {
  it('finds the change that brought a rule, wherever the rule stood before', () => {
    expect(changes.introduced(ID, 'ingress', 0)?.revision).toBe(2);
    expect(changes.introduced(ID, 'ingress', 1)?.revision).toBe(1);
    expect(changes.introduced('NetworkPolicy/shop/file', 'ingress', 0)).toBeUndefined();
  });

  it('takes a default for the doing of the last change that meant something', () => {
    expect(changes.introduced(ID, 'ingress', -1)?.revision).toBe(4);
  });

  it('says what came after a time, the latest first', () => {
    expect(changes.since(ID, Date.parse('2026-01-01T00:00:01.500Z')).map(({ revision }) => revision)).toEqual([4, 2]);
    expect(changes.since(ID, Date.parse('2026-01-02T00:00:00Z'))).toEqual([]);
  });

  it('of files, goes by what changed in files, and brings no rule that was there before', () => {
    const file = (...ingress: readonly object[]) => ({
      id: ID,
      manifest: { spec: { ingress } },
      location: { file: 'web.yaml', line: 1 },
    });
    const edited: HistoryEntry[] = [
      {
        revision: 7,
        time: '2026-01-01T00:00:07.000Z',
        who: { kind: 'file', uid: 0 },
        from: { files: ['web.yaml'] },
        verb: 'edit',
        changes: [{ id: ID, before: file(B), after: file(A, B) }],
      },
      ...history,
    ];
    const ofFiles = changesOf({ entriesOf: () => edited, get: () => versions[2], isOfFile: (id) => id === ID });
    expect(ofFiles.introduced(ID, 'ingress', 0)).toMatchObject({ revision: 7, who: { kind: 'file', uid: 0 } });
    expect(ofFiles.introduced(ID, 'ingress', 1)).toBeUndefined();
    expect(ofFiles.since(ID, Date.parse('2026-01-01T00:00:05Z')).map(({ verb }) => verb)).toEqual(['edit']);
  });

  it('asks for one entry after the other, and for none behind the answer', () => {
    const file = (order: number, ...ingress: readonly object[]) => ({
      id: ID,
      manifest: { spec: { order, ingress } },
      location: { file: 'web.yaml', line: 1 },
    });
    let asked = 0;
    function* edits(): Generator<HistoryEntry> {
      for (let revision = 1000; revision > 0; revision -= 1) {
        asked += 1;
        const before = revision === 996 ? file(revision - 1) : file(revision - 1, A);
        const change = { id: ID, before, after: file(revision, A) };
        const time = new Date(revision).toISOString();
        yield { revision, time, who: { kind: 'file' }, from: {}, verb: 'edit', changes: [change] };
      }
    }
    const ofFiles = changesOf({ entriesOf: edits, get: () => undefined, isOfFile: () => true });
    expect([ofFiles.introduced(ID, 'ingress', 0)?.revision, asked]).toEqual([996, 5]);
    asked = 0;
    expect([ofFiles.since(ID, 998).map(({ revision }) => revision), asked]).toEqual([[1000, 999], 3]);
  });
});
