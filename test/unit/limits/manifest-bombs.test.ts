import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';
import { splitStream } from '../../../src/resources/sources/edit-directory.ts';

const TIER = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: { name: a }\n';

const laughs = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => {
    const items = level === 0 ? 'x, x' : Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ');
    return `l${level}: &l${level} [${items}]\n`;
  }).join('');

/** Text that is refused, with the line and the message of the refusal. */
const BOMBS: readonly (readonly [string, string, number, RegExp])[] = [
  ['a billion laughs', TIER + laughs(12), 1, /excessive alias count/],
  [
    'a large text, many times',
    `${TIER}x: &x ${'a'.repeat(1e6)}\ny: [${'*x, '.repeat(1e4)}]\n`,
    1,
    /excessive alias count/,
  ],
  ['brackets that do not end', `${TIER}spec: ${'['.repeat(1e6)}`, 4, /is nested more than 100 levels deep/],
  ['brackets that do', `${TIER}spec: ${'['.repeat(1e5)}${']'.repeat(1e5)}\n`, 4, /is nested more than 100 levels deep/],
  ['braces', `${TIER}spec: ${'{a: '.repeat(5e4)}1${'}'.repeat(5e4)}\n`, 4, /is nested more than 100 levels deep/],
  ['lists in lists', `${TIER}spec:\n${'- '.repeat(1e5)}x\n`, 5, /is nested more than 100 levels deep/],
  [
    'Lists in Lists',
    `${'{"apiVersion":"v1","kind":"List","items":['.repeat(5000)}${']}'.repeat(5000)}`,
    1,
    /is nested more/,
  ],
  ['a NUL byte', `${TIER}spec: {}\n\0`, 5, /has a control character, U\+0000/],
  ['a NUL byte in a string', TIER.replace('a }', '"a\0b" }'), 3, /has a control character, U\+0000/],
  ['an escape sequence', `${TIER}# \x1b[2J\n`, 4, /has a control character, U\+001B/],
  ['a key without end', `${TIER}? ${'k'.repeat(1e6)}\n: 1\n`, 4, /a key is longer than 1024 characters/],
  ['a list as a key', `${TIER}? [a, b]\n: 1\n`, 4, /a key is not a plain value/],
  ['a key that is there twice', `${TIER}spec: { order: 1, order: 2 }\n`, 4, /map keys must be unique/],
  ['a string without end', `${TIER}spec: "${'x\n'.repeat(1e5)}`, 100004, /missing closing/],
];

describe('a manifest that is meant to cost too much', () => {
  it.each(BOMBS)('is refused with its line: %s', { timeout: 60_000 }, (_name, text, line, message) => {
    const { resources, errors, isIncomplete } = parseDocuments(text, 'bomb.yaml');
    expect(resources).toEqual([]);
    expect(errors.map((error) => ({ code: error.code, line: error.line }))).toEqual([{ code: 'YAML_SYNTAX', line }]);
    expect(errors[0]?.message).toMatch(message);
    // Then everything that the file said before stays in force.
    expect(isIncomplete).toBe(true);
  });

  it.each(BOMBS)('is handed on whole by apply, to be refused there: %s', { timeout: 60_000 }, (_name, text) => {
    const parsed = splitStream(text).map((part) => parseDocuments(part, 'bomb.yaml'));
    expect(parsed.flatMap(({ resources }) => resources)).toEqual([]);
    expect(parsed.flatMap(({ errors }) => errors)).not.toEqual([]);
  });

  it.each([
    [
      '5,000 documents',
      Array.from({ length: 5000 }, (_, index) => TIER.replace('a }', `a${index} }`)).join('---\n'),
      5000,
    ],
    ['a million empty documents', `${'---\n'.repeat(1e6)}${TIER}`, 1],
    ['a million blank lines', `${'\n'.repeat(1e6)}${TIER}`, 1],
    ['a comment of ten million characters', `# ${'x'.repeat(1e7)}\n${TIER}`, 1],
    ['10,000 rules in one line', oneLine(10_000), 10],
  ])('is read in time in proportion to its length: %s', { timeout: 60_000 }, (_name, text, count) => {
    const { resources, errors } = parseDocuments(text, 'long.yaml');
    expect(errors).toEqual([]);
    expect(resources).toHaveLength(count);
    const last = resources.at(-1);
    expect(last?.lineOf(['spec'])).toBeGreaterThanOrEqual(last?.location.line ?? Number.NaN);
  });
});

/** Ten policies, because one may not have more than 1,024 rules. */
function oneLine(rules: number): string {
  const rule = { action: 'Allow', protocol: 'TCP', destination: { ports: [80] } };
  const items = Array.from({ length: 10 }, (_, index) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'shop', name: `p${index}` },
    spec: { ingress: Array.from({ length: rules / 10 }, () => rule) },
  }));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
