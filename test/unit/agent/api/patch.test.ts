// The examples of the RFCs, and what must not get through.
import { describe, expect, it } from 'vitest';
import { applyPatch, jsonPatch, mergePatch } from '../../../../src/agent/api/patch.ts';

/** RFC 7386, appendix A: target, patch, result. */
const MERGES: readonly [unknown, unknown, unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

/** RFC 6902, appendix A: target, operations, result. */
const PATCHES: readonly [unknown, object[], unknown][] = [
  [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
  [{ baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
  [{ a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
  [{ foo: [1, 2, 3, 4] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: [1, 3, 4, 2] }],
  [{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
  [{ foo: ['a', 2] }, [{ op: 'test', path: '/foo/1', value: 2 }], { foo: ['a', 2] }],
  [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
  [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
  [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
];

/** Forty copies, each from one place to another. */
function copies(places: (index: number) => readonly [string, string]): object[] {
  return Array.from({ length: 40 }, (_, index) => {
    const [from, path] = places(index);
    return { op: 'copy', from, path };
  });
}

/** Objects inside each other. */
function nested(depth: number): object[] {
  return Array.from({ length: depth }, (_, index) => ({ op: 'add', path: '/x'.repeat(index + 1), value: {} }));
}

const REFUSED: readonly [string, unknown][] = [
  ['no list', { op: 'add' }],
  ['an unknown operation', [{ op: 'spam', path: '/a', value: 1 }]],
  ['a value that is missing', [{ op: 'add', path: '/b' }]],
  ['a target that is not there', [{ op: 'add', path: '/x/y', value: 1 }]],
  ['an index past the end', [{ op: 'add', path: '/list/4', value: 1 }]],
  ['an index with a leading zero', [{ op: 'remove', path: '/list/01' }]],
  ['a test that fails', [{ op: 'test', path: '/a', value: 2 }]],
  ['a path without its slash', [{ op: 'remove', path: 'a' }]],
  ['a move into itself', [{ op: 'move', from: '/deep', path: '/deep/er' }]],
  ['a copy into itself', [{ op: 'copy', from: '/deep', path: '/deep/er' }]],
  ['copies of the whole into it', copies((index) => ['', `/x${index}`])],
  ['what nests too deeply in the end', nested(70)],
  ['the prototype', [{ op: 'add', path: '/__proto__/polluted', value: true }]],
];

/** Little to send, and far more than any memory if it were done. */
const TOO_LARGE: readonly [string, unknown][] = [
  ['copies of copies', copies((index) => (index % 2 === 0 ? ['/deep', '/list/-'] : ['/list', `/deep/${index}`]))],
  ['more operations than anybody needs', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))],
  [
    'a long list that is moved again and again',
    [
      { op: 'add', path: '/b', value: Array.from({ length: 50_000 }, () => 0) },
      ...Array.from({ length: 3000 }, () => ({ op: 'add', path: '/b/0', value: 0 })),
    ],
  ],
];

describe('mergePatch', () => {
  it.each(MERGES)('makes of %j with %j %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('leaves prototypes alone', () => {
    mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('jsonPatch', () => {
  it.each(PATCHES)('makes of %j with %j %j', (target, patch, result) => {
    const before = structuredClone(target);
    expect(jsonPatch(target, patch)).toEqual(result);
    expect(target).toEqual(before);
  });

  it.each(REFUSED)('refuses %s', (_, patch) => {
    const target = { a: 1, list: [1, 2], deep: {} };
    expect(() => jsonPatch(target, patch)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    expect(target).toEqual({ a: 1, list: [1, 2], deep: {} });
  });

  it.each(TOO_LARGE)('refuses %s', (_, patch) => {
    const target = { a: 1, list: [1, 2], deep: {} };
    expect(() => jsonPatch(target, patch)).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
    expect(target).toEqual({ a: 1, list: [1, 2], deep: {} });
  });

  it('copies as much as a body may be', () => {
    const target = { spec: { nets: Array.from({ length: 100_000 }, (_, index) => `10.0.0.${index}/32`) } };
    expect(jsonPatch(target, [{ op: 'copy', from: '/spec/nets', path: '/spec/more' }])).toEqual({
      spec: { ...target.spec, more: target.spec.nets },
    });
  });
});

describe('applyPatch', () => {
  it('sets what is applied, keeps what others set, and takes away what is given up', () => {
    const current = { spec: { a: 1, b: 2, other: 3, list: [1, 2] } };
    const last = { spec: { a: 1, b: 2, list: [1, 2] } };
    expect(applyPatch(current, last, { spec: { a: 5, list: [3] } })).toEqual({ spec: { a: 5, other: 3, list: [3] } });
    expect(applyPatch(current, last, {})).toEqual({ spec: { other: 3 } });
    expect(applyPatch({ spec: { a: 1 } }, { spec: { a: 1 } }, {})).toEqual({});
  });
});
