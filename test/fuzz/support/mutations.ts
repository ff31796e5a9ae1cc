// Texts and bytes that were right once: pieces left out, doubled, exchanged, and put in that parsers trip over.
import type { Random } from '../../support/worlds/random.ts';

/** What YAML, JSON, selectors and people's mistakes are made of. */
const TOKENS = [
  ...[
    '\n',
    '\r\n',
    '\t',
    '  ',
    ' ',
    ':',
    ': ',
    '- ',
    '---\n',
    '...\n',
    '#',
    ' #',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '\\',
  ],
  ...[
    '&a ',
    '*a',
    '<<: *a',
    '!!js/function ',
    '!!binary ',
    '!!set',
    '|',
    '>',
    '>-\n ',
    '? ',
    '%YAML 1.2\n',
    '~',
    'null',
  ],
  ...['__proto__', 'constructor', 'prototype', '"__proto__": {"polluted": true}', 'toString', 'hasOwnProperty'],
  ...[
    'true',
    'no',
    '0x10',
    '0o17',
    '1e999',
    '-0',
    '.inf',
    '.nan',
    '9007199254740993',
    '1_000',
    '2026-01-01',
    '-1',
    '65536',
  ],
  ...['10.0.0.0/33', '::ffff:10.0.0.1', 'fe80::1%eth0', '0.0.0.0/0', '1.2.3', '::/0', '256.1.1.1', '10.0.0.1/8'],
  ...[
    'has(',
    'all()',
    '&&',
    '||',
    '==',
    'in {',
    '!',
    '((((((((',
    '))))',
    '\0',
    '\ufeff',
    '\ud800',
    '\u2028',
    'é',
    '名',
  ],
] as const;

/** Between one and six changes. */
export function mutateText(random: Random, text: string): string {
  let result = text;
  for (let left = random.between(1, 6); left > 0; left -= 1) {
    const at = random.below(result.length + 1);
    const count = random.between(0, 20);
    result = random.weighted<string>(
      [3, () => result.slice(0, at) + result.slice(at + count)],
      [2, () => result.slice(0, at) + result.slice(at, at + count).repeat(random.between(2, 5)) + result.slice(at)],
      [4, () => result.slice(0, at) + random.pick(TOKENS) + result.slice(at)],
      [3, () => result.slice(0, at) + random.pick(TOKENS) + result.slice(at + count)],
      [1, () => result.slice(0, at)],
      [1, () => result.slice(0, at) + '[{"a":'.repeat(random.between(1, 400)) + result.slice(at)],
      [1, () => exchangeWords(random, result)],
    );
  }
  return result;
}

/** One word of the text takes the place of another. */
function exchangeWords(random: Random, text: string): string {
  const words = text.match(/[\w./:-]+/g) ?? [''];
  return text.replace(random.pick(words), random.pick(words));
}

/** Between one and eight changes; numbers at the edges of their range among them. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let left = random.between(1, 8); left > 0; left -= 1) {
    const at = random.below(result.length + 1);
    const count = random.between(0, 12);
    result = random.weighted<Uint8Array<ArrayBuffer>>(
      [4, () => put(result, at, [random.below(256)])],
      [3, () => put(result, at, random.pick(EDGES))],
      [1, () => result.slice(0, at)],
      [1, () => joined(result.slice(0, at), result.slice(at + count))],
      [1, () => joined(result.slice(0, at + count), result.slice(at))],
    );
  }
  return result;
}

const EDGES: readonly (readonly number[])[] = [
  [0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0, 0, 0, 0x80],
  [0, 0, 0, 1],
  [1, 0, 0, 0],
  [0xff, 0xff],
  [0, 0],
];

function put(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(bytes);
  values.forEach((value, index) => {
    if (at + index < result.length) result[at + index] = value;
  });
  return result;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...first, ...second]);
}
