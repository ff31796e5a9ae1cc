import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';

const namespace = (metadata: Record<string, unknown>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', ...metadata } });
const profile = (labelsToApply: Record<string, string>): string =>
  JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Profile',
    metadata: { name: 'p' },
    spec: { labelsToApply },
  });
const errorsOf = (text: string) => parseDocuments(text, 'f').errors;
const labels = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`l${at}`, '']));

describe('labels', () => {
  it.each([['a'], ['A_b.c-D9'], ['example.com/a'], [`${'p'.repeat(253)}/${'n'.repeat(63)}`], ['pcns.x'], ['1']])(
    'may be called %s',
    (key) => {
      expect(errorsOf(namespace({ labels: { [key]: 'v' } }))).toEqual([]);
    },
  );

  it.each([
    [''],
    ['-a'],
    ['a-'],
    ['a b'],
    ['a/b/c'],
    ['/a'],
    ['a/'],
    ['A.com/x'],
    ['n'.repeat(64)],
    [`${'p'.repeat(254)}/n`],
  ])('may not be called %j', (key) => {
    expect(errorsOf(namespace({ labels: { [key]: 'v' } }))).toMatchObject([
      { code: 'INVALID_FIELD', message: expect.stringContaining('invalid label key') },
    ]);
  });

  it.each([[''], ['a'], ['A_b.c-D9'], ['v'.repeat(63)]])('may have the value %j', (value) => {
    expect(errorsOf(namespace({ labels: { a: value } }))).toEqual([]);
  });

  it.each([['-'], ['a b'], ['a/b'], ['.a'], ['v'.repeat(64)], ['ä']])('may not have the value %j', (value) => {
    expect(errorsOf(namespace({ labels: { a: value } }))).toMatchObject([
      { code: 'INVALID_FIELD', field: 'metadata.labels.a', message: expect.stringContaining('invalid label value') },
    ]);
  });

  it('are at most 1024', () => {
    expect(errorsOf(namespace({ labels: labels(1024) }))).toEqual([]);
    expect(errorsOf(namespace({ labels: labels(1025) }))).toMatchObject([
      { code: 'LIMIT_EXCEEDED', field: 'metadata.labels', found: '1025 labels', expected: 'at most 1024' },
    ]);
  });

  it('of a profile follow the same rules', () => {
    expect(errorsOf(profile({ 'pcns.a/b': 'c' }))).toEqual([]);
    expect(errorsOf(profile({ 'a b': 'c' }))).toMatchObject([{ field: 'spec.labelsToApply["a b"]' }]);
    expect(errorsOf(profile(labels(1025)))).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
  });
});

describe('annotations', () => {
  it('have keys like labels in any case, and any values', () => {
    expect(errorsOf(namespace({ annotations: { 'Example.COM/A': 'any text: ä {}\n' } }))).toEqual([]);
    expect(errorsOf(namespace({ annotations: { 'a b': '' } }))).toMatchObject([
      { code: 'INVALID_FIELD', field: 'metadata.annotations["a b"]' },
    ]);
  });

  it.each([
    ['letters', 'a', 262_143],
    ['letters of two bytes', 'ä', 131_071],
    ['letters of three bytes', '€', 87_381],
    ['letters of four bytes', '😀', 65_535],
  ])('take at most 256 KiB with their keys, in %s', (_name, letter, most) => {
    expect(errorsOf(namespace({ annotations: { k: letter.repeat(most) } }))).toEqual([]);
    expect(errorsOf(namespace({ annotations: { k: letter.repeat(most + 1) } }))).toMatchObject([
      {
        code: 'LIMIT_EXCEEDED',
        field: 'metadata.annotations',
        message: expect.stringContaining('total size of annotations is too large'),
      },
    ]);
  });
});
