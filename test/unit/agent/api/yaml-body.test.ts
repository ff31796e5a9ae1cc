// YAML of requests: the values that it has, and what would cost far more than it is long.
import { describe, expect, it } from 'vitest';
import { parseYamlBody } from '../../../../src/agent/api/yaml-body.ts';

const LIMITS = { documents: 5, oddDocument: 1000, fullDocuments: 200, expanded: 2000 };

describe('parseYamlBody', () => {
  it.each([
    ['documents of the plain style', 'a: 1\n---\nb:\n- x\n- y\n', [{ a: 1 }, { b: ['x', 'y'] }]],
    ['those with flow style and comments', '# c\n{a: [1, "2"]}\n---\nb: 2 # d\n', [{ a: [1, '2'] }, { b: 2 }]],
    [
      'those with anchors, each after its own',
      'a: &x {y: 1}\nb: *x\n---\nc: 1\n',
      [{ a: { y: 1 }, b: { y: 1 } }, { c: 1 }],
    ],
    [
      'directives, content behind markers and end marks',
      '%YAML 1.2\n--- {a: 1}\n...\n---\nb: 2\n',
      [{ a: 1 }, { b: 2 }],
    ],
    ['a byte order mark', '\ufeffa: 1\n', [{ a: 1 }]],
    ['documents with nothing in them', '---\n---\n# nothing\n---\nnull\n---\na: 1\n', [{ a: 1 }]],
    ['nothing', '', []],
  ])('reads %s', (_what, text, values) => {
    expect(parseYamlBody(text)).toEqual(values);
  });

  it('names the line of what is not well-formed, in the stream', () => {
    expect(() => parseYamlBody('a: 1\n---\nb: 2\nc: [d\n')).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', field: expect.stringMatching(/^line [45]$/) }),
    );
  });

  it.each([
    ['more documents than may be', '---\na: 1\n'.repeat(6)],
    ['a long document of odd style', `a: [${'0, '.repeat(400)}"\\u0041"]`],
    ['much that only the full parser understands', `a: &x 1\nb: ${'y'.repeat(200)}\n`],
    ['much of it in several documents', `a: &x ${'y'.repeat(120)}\n---\n`.repeat(2)],
    [
      'aliases that make much of little',
      `a: &a [${'0, '.repeat(20)}]\nb: &b [${'*a, '.repeat(10)}]\nc: [*b, *b, *b]\n`,
    ],
  ])('refuses %s', (_what, text) => {
    expect(() => parseYamlBody(text, LIMITS)).toThrow(expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }));
  });

  it('has no such limit for the plain style', () => {
    const items = Array.from({ length: 1000 }, (_, index) => index);
    expect(parseYamlBody(`a: [${items.join(', ')}]\n`, LIMITS)).toEqual([{ a: items }]);
    expect(parseYamlBody(`a:\n${items.map((item) => `- ${item}\n`).join('')}`, LIMITS)).toEqual([{ a: items }]);
  });
});
