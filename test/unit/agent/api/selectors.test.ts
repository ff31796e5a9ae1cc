import { describe, expect, it } from 'vitest';
import { parseSelectors } from '../../../../src/agent/api/selectors.ts';

function matches(
  labelSelector: string | null,
  labels: Record<string, string>,
  fieldSelector: string | null = null,
): boolean {
  return parseSelectors(
    labelSelector,
    fieldSelector,
  )({ name: 'a', namespace: 'n', metadata: { labels, annotations: {} } });
}

const LABELS = { app: 'web', tier: 'front', 'example.com/x': '' };

describe('a label selector', () => {
  it.each<[string, boolean]>([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app=db', false],
    ['app!=db', true],
    ['app!=web', false],
    ['none!=web', true],
    ['none=', false],
    ['app', true],
    ['none', false],
    ['!none', true],
    ['!app', false],
    ['app in (web,db)', true],
    ['app in ( web , db )', true],
    ['app in (db)', false],
    ['none in (web)', false],
    ['app notin (db)', true],
    ['app notin (web)', false],
    ['none notin (web)', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    ['app in (web,db),tier notin (back,side),!none', true],
    ['example.com/x=', true],
    ['constructor', false],
  ])('%s matches: %s', (selector, isMatch) => {
    expect(matches(selector, LABELS)).toBe(isMatch);
  });

  it.each([
    '=web',
    'app=we b',
    'app in web',
    'app in (a,b',
    'a b',
    '!',
    ',',
    'app=web,',
    'app>1',
    'app=-x',
    '-a=b',
    'app in (&)',
  ])('%j is refused', (selector) => {
    expect(() => matches(selector, LABELS)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

describe('a field selector', () => {
  it.each<[string, boolean]>([
    ['metadata.name=a', true],
    ['metadata.name==a', true],
    ['metadata.name!=a', false],
    ['metadata.namespace=n', true],
    ['metadata.namespace=m', false],
    ['metadata.name=a,metadata.namespace!=n', false],
  ])('%s matches: %s', (selector, isMatch) => {
    expect(matches(null, {}, selector)).toBe(isMatch);
  });

  it.each(['spec.tier=a', 'metadata.name', 'metadata.labels.a=b'])('%j is refused', (selector) => {
    expect(() => matches(null, {}, selector)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

describe('a selector that costs more than it is long', () => {
  it('is refused with too many requirements, and takes no time for its commas', () => {
    const tooMany = Array.from({ length: 257 }, (_, index) => `!a${index}`).join(',');
    expect(() => parseSelectors(tooMany, null)).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
    const sinceMs = performance.now();
    expect(() => parseSelectors('a,'.repeat(50_000), null)).toThrow();
    expect(performance.now() - sinceMs).toBeLessThan(1000);
  });
});
