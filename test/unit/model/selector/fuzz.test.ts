import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { matches } from '../../../../src/model/selector/evaluate.ts';
import { tryParseSelector } from '../../../../src/model/selector/parser.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';
import { namespaceSelector, selector, serviceAccountSelector } from '../../../support/worlds/selectors.ts';
import { LABELS, VALUES } from '../../../support/worlds/vocabulary.ts';

const RUNS = Number(process.env.TORTIE_EXACT_SELECTORS ?? 10_000);
const FIRST = Number(process.env.TORTIE_EXACT_FIRST ?? 0);
const TIMEOUT_MS = process.env.TORTIE_EXACT_SELECTORS === undefined ? 60_000 : 0;

/** Everything that the language is made of, and what looks like it. */
const TOKENS = [
  ...['has(', 'all(', 'all()', 'global()', 'global(', 'has', 'all', 'has (', '(', ')', '((', '))', '()'],
  ...['!', '!!', '&&', '||', '&', '|', '==', '!=', '=', '===', '!', 'in', 'not in', 'notin', 'not', ' in ', '!in'],
  ...['contains', 'starts with', 'startswith', 'starts', 'with', 'ends with', 'endswith', 'ends', 'containsx'],
  ...['{', '}', '{}', ',', ',}', '{"a", "b"}', '{"a",}', '"', "'", '"x"', "'x'", '""', "''", '"x\'', "'q\"q'"],
  ...['a', 'b', 'in', '-', '.', '/', '_', 'a.b/c-d', '0', ' ', '\t', '\n', '\r', '\v', '\u00a0', '\u2028', '\0', '\\'],
  ...['%', '#', '$', ';', '*', '<', '>', '~', '^', '`', 'é', '名', '\u{1f431}', '\ud800', '\udc00', '\ufeff', 'A', 'Z'],
] as const;

const soup = fc.array(fc.oneof(fc.constantFrom(...TOKENS), fc.string({ unit: 'binary', maxLength: 3 })), {
  maxLength: 25,
});

function validText(random: Random): string {
  return random.pick([selector, namespaceSelector, serviceAccountSelector])(random);
}

/** Some characters left out, doubled, exchanged, or put in. */
function mutate(random: Random, text: string): string {
  let result = text;
  for (let times = random.between(1, 4); times > 0; times--) {
    const at = random.below(result.length + 1);
    const count = random.between(0, 6);
    result = random.weighted<string>(
      [3, () => result.slice(0, at) + result.slice(at + count)],
      [1, () => result.slice(0, at) + result.slice(at, at + count) + result.slice(at)],
      [3, () => result.slice(0, at) + random.pick(TOKENS) + result.slice(at)],
      [2, () => result.slice(0, at) + random.pick(TOKENS) + result.slice(at + count)],
      [1, () => [...result].reverse().join('')],
      [1, () => result.slice(at) + result.slice(0, at)],
    );
  }
  return result;
}

function randomLabels(random: Random): Map<string, string> {
  const names = [...LABELS, 'a', 'in', 'projectcalico.org/namespace', 'pcns.env'];
  return new Map(random.some(names).map((name) => [name, random.pick(VALUES)]));
}

/** A problem that points into the text, or a selector whose canonical text is its own and means the same. */
function expectSound(text: string, random: Random): 'accepted' | 'refused' {
  const result = tryParseSelector(text);
  if ('problem' in result) {
    const { position, found, expected } = result.problem;
    expect(result.problem.text).toBe(text);
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThanOrEqual(text.length);
    expect(found).not.toBe('');
    expect(expected).not.toBe('');
    return 'refused';
  }
  const canonical = formatSelector(result.selector);
  const again = tryParseSelector(canonical);
  if ('problem' in again) expect.fail(`${JSON.stringify(canonical)}, canonical of ${JSON.stringify(text)}, is refused`);
  expect(formatSelector(again.selector)).toBe(canonical);
  for (let times = 0; times < 3; times++) {
    const labels = randomLabels(random);
    expect(matches(again.selector, labels), canonical).toBe(matches(result.selector, labels));
  }
  return 'accepted';
}

describe('the selector parser', () => {
  it(`answers ${RUNS} texts of random tokens`, { timeout: TIMEOUT_MS }, () => {
    const seed = newSeed('selectors of random tokens');
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(soup, fc.nat(), (tokens, number) => {
        outcomes.add(expectSound(tokens.join(''), new Random(number)));
      }),
      { numRuns: RUNS, seed: seed + FIRST },
    );
    expect([...outcomes].sort()).toEqual(['accepted', 'refused']);
  });

  it(`answers ${RUNS} damaged selectors`, { timeout: TIMEOUT_MS }, () => {
    const seed = newSeed('damaged selectors');
    const counts = { accepted: 0, refused: 0 };
    for (let index = FIRST; index < FIRST + RUNS; index++) {
      const random = new Random(seed, index);
      counts[expectSound(mutate(random, validText(random)), random)] += 1;
    }
    expect(counts.accepted).toBeGreaterThan(RUNS / 20);
    expect(counts.refused).toBeGreaterThan(RUNS / 5);
  });

  it(`accepts ${RUNS} generated selectors`, { timeout: TIMEOUT_MS }, () => {
    const seed = newSeed('generated selectors');
    for (let index = FIRST; index < FIRST + RUNS; index++) {
      const random = new Random(seed, index);
      const text = validText(random);
      expect(expectSound(text, random), text).toBe('accepted');
    }
  });

  it.each([
    ['parentheses', (count: number) => `${'('.repeat(count)}has(a)${')'.repeat(count)}`],
    ['open parentheses', (count: number) => '('.repeat(count)],
    ['negated parentheses', (count: number) => `${'!('.repeat(count)}has(a)${')'.repeat(count)}`],
    ['closing parentheses', (count: number) => `has(a)${')'.repeat(count)}`],
    ['bangs', (count: number) => `${'!'.repeat(count)}has(a)`],
    ['bangs with blanks', (count: number) => `${'! '.repeat(count)}has(a)`],
    ['bangs alone', (count: number) => '!'.repeat(count)],
    ['conjunctions', (count: number) => `has(a)${' && has(a)'.repeat(count)}`],
    ['alternatives', (count: number) => `has(a)${' || a == "x" && has(b)'.repeat(count)}`],
    ['values of a set', (count: number) => `a in {${'"x",'.repeat(count)}}`],
    ['letters of a label', (count: number) => `has(${'l'.repeat(count)})`],
    ['letters of a value', (count: number) => `a == "${'v'.repeat(count)}"`],
    ['blanks', (count: number) => `${' \t'.repeat(count)}has(a)${' '.repeat(count)}`],
    ['quotes', (count: number) => '"'.repeat(count)],
    ['NULs', (count: number) => '\0'.repeat(count)],
    ['NULs in a value', (count: number) => `a == "${'\0'.repeat(count)}"`],
    ['astral characters', (count: number) => '\u{1f431}'.repeat(count)],
    ['lone surrogates in a value', (count: number) => `a != '${'\ud800'.repeat(count)}'`],
    ['words', (count: number) => 'in '.repeat(count)],
    ['braces', (count: number) => `a in ${'{'.repeat(count)}`],
  ])('answers a hundred thousand %s', (_name, textOf) => {
    for (const count of [0, 1, 99, 100, 101, 100_000]) expectSound(textOf(count), new Random(count));
  });

  it('never takes much longer for twice the text', () => {
    const millisecondsFor = (count: number): number => {
      const text = `has(a)${' || (a == "x" && !has(b))'.repeat(count)}`;
      const start = performance.now();
      expectSound(text, new Random(1));
      return performance.now() - start;
    };
    millisecondsFor(5_000);
    const single = Math.min(...[1, 2, 3].map(() => millisecondsFor(5_000)));
    const tenfold = Math.min(...[1, 2, 3].map(() => millisecondsFor(50_000)));
    expect(tenfold).toBeLessThan(40 * single);
  });
});

/** The lexical corners of the language, one by one; undefined = refused. */
const corners: readonly (readonly [text: string, canonical: string | undefined])[] = [
  ['', 'all()'],
  [' ', 'all()'],
  ['\t', 'all()'],
  ['\n', undefined],
  ['has(a)\n', undefined],
  ['has(a)\r', undefined],
  ['has(a) \u00a0', undefined],
  ['\ufeffhas(a)', undefined],
  ['has( \t a \t )', 'has(a)'],
  ['all( )', 'all()'],
  ['global(\t)', 'global()'],
  ['has (a)', undefined],
  ['all ()', undefined],
  ['global ()', undefined],
  ['HAS(a)', undefined],
  ['All()', undefined],
  ['has("a")', undefined],
  ['has(a b)', undefined],
  ['has(a,b)', undefined],
  ['all(a)', undefined],
  ['a in{"x"}', 'a in {"x"}'],
  ['a in {"x"}', 'a in {"x"}'],
  ['ain {"x"}', undefined],
  ['a IN {"x"}', undefined],
  ['a notin{"x"}', 'a not in {"x"}'],
  ['a not in{"x"}', 'a not in {"x"}'],
  ['a not \t in {"x"}', 'a not in {"x"}'],
  ['a not{"x"}', undefined],
  ['a !in {"x"}', undefined],
  ['!a in {"x"}', '!a in {"x"}'],
  ['a contains"x"', 'a contains "x"'],
  ["a contains'x'", 'a contains "x"'],
  ['a containsx "y"', undefined],
  ['a contains-x "y"', undefined],
  ['a startswith"x"', 'a starts with "x"'],
  ['a starts   with "x"', 'a starts with "x"'],
  ['a startsWith "x"', undefined],
  ['a starts "x"', undefined],
  ['a ends\twith "x"', 'a ends with "x"'],
  ['a endswith{"x"}', undefined],
  ['a=="b"', 'a == "b"'],
  ['a  ==\t"b"', 'a == "b"'],
  ['a!="b"', 'a != "b"'],
  ['a ! = "b"', undefined],
  ['a = "b"', undefined],
  ['a === "b"', undefined],
  ['a == b', undefined],
  ['a == 1', undefined],
  ['"a" == "b"', undefined],
  ['"a" == a', undefined],
  ['a', undefined],
  ['1 == "x"', '1 == "x"'],
  ['a == "b" c == "d"', undefined],
  ['a == "b"c == "d"', undefined],
  ['a == "b" & c == "d"', undefined],
  ['a == "b" | c == "d"', undefined],
  ['a == "b" and c == "d"', undefined],
  ['a == "b"&&c == "d"', '(a == "b" && c == "d")'],
  ['a == "b" &&', undefined],
  ['&& a == "b"', undefined],
  ['a == "b" && && c == "d"', undefined],
  ['a == "b" || ', undefined],
  ['()', undefined],
  ['(', undefined],
  [')', undefined],
  ['(a == "b"', undefined],
  ['a == "b")', undefined],
  ['((((a == "b"))))', 'a == "b"'],
  ['( a == "b" )', 'a == "b"'],
  ['!', undefined],
  ['!!', undefined],
  ['!has(a)', '!has(a)'],
  ['! has(a)', '!has(a)'],
  ['!!has(a)', 'has(a)'],
  ['!!!has(a)', '!has(a)'],
  ['!(has(a))', '!has(a)'],
  ['!(!has(a))', 'has(a)'],
  ['has(a)!', undefined],
  ['has(a) && !', undefined],
  ['!has(a) && has(b)', '(!has(a) && has(b))'],
  ['a == "b" || c == "d" && e == "f"', '(a == "b" || (c == "d" && e == "f"))'],
  ['(a == "b" || c == "d") && e == "f"', '((a == "b" || c == "d") && e == "f")'],
  ['a in {}', 'a in {}'],
  ['a in { }', 'a in {}'],
  ['a in {,}', undefined],
  ['a in {"x",}', 'a in {"x"}'],
  ['a in {"x",,}', undefined],
  ['a in {,"x"}', undefined],
  ['a in {"x" "y"}', undefined],
  ['a in {"y", "x", "y"}', 'a in {"x", "y"}'],
  ['a in "x"', undefined],
  ['a in ""', undefined],
  ['a in ("x")', undefined],
  ['a in {x}', undefined],
  ['a in {"x"', undefined],
  ['a in', undefined],
  ['a == ""', 'a == ""'],
  ["a == ''", 'a == ""'],
  ['a == "it\'s"', 'a == "it\'s"'],
  ["a == 'q\"q'", "a == 'q\"q'"],
  ['a == "q\\"q"', undefined],
  ['a == "\\"', 'a == "\\"'],
  ['a == "x', undefined],
  ["a == 'x", undefined],
  ['a == "x\'', undefined],
  ['a == "line\nbreak"', 'a == "line\nbreak"'],
  ['a == "\0"', 'a == "\0"'],
  ['a == "\u540d"', 'a == "\u540d"'],
  ['\u540d == "a"', undefined],
  ['a% == "x"', undefined],
  ['a:b == "x"', undefined],
  ['a@b == "x"', undefined],
  ['in in {"in"}', 'in in {"in"}'],
  ['has == "x"', 'has == "x"'],
  ['all contains "x"', 'all contains "x"'],
  ['global not in {"x"}', 'global not in {"x"}'],
  ['contains contains "contains"', 'contains contains "contains"'],
  ['starts starts with "x"', 'starts starts with "x"'],
  ['not not in {"x"}', 'not not in {"x"}'],
  ['has(has)', 'has(has)'],
  ['has(all)', 'has(all)'],
  ['- == "x"', '- == "x"'],
  ['. != "x"', '. != "x"'],
  ['/ in {"x"}', '/ in {"x"}'],
  ['_ == "x"', '_ == "x"'],
  ['A-z_0.9/x == "x"', 'A-z_0.9/x == "x"'],
  [`has(${'l'.repeat(512)})`, `has(${'l'.repeat(512)})`],
  [`has(${'l'.repeat(513)})`, undefined],
  [`${'l'.repeat(513)} == "x"`, undefined],
];

describe('corners of the selector language', () => {
  it.each(corners)('%j is %j', (text, canonical) => {
    const result = tryParseSelector(text);
    expect('selector' in result ? formatSelector(result.selector) : undefined).toBe(canonical);
    expectSound(text, new Random(1));
  });
});
