import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseEventYaml, readEventLines } from '../../../../src/resources/yaml/event-yaml.ts';
import { parseFullYaml } from '../../../../src/resources/yaml/full-yaml.ts';
import type { LineTree } from '../../../../src/resources/yaml/line-tree.ts';
import { anyDamaged, anyPieces, anyStyle, anyValue, MANIFEST } from './generated-yaml.ts';

/** It may refuse to answer; if it answers, then as the full parser does, lines included. */
function expectAgreement(text: string): void {
  const answer = parseEventYaml(text);
  if (answer === undefined) return;
  const [full] = parseFullYaml(text);
  expect({ text, value: answer.value, lines: plainLines(readEventLines(text)) }).toEqual({
    text,
    value: full?.value,
    lines: plainLines(full?.lines()),
  });
}

function plainLines(tree: LineTree | undefined): unknown {
  if (tree?.entries === undefined) return { line: tree?.line };
  const { entries } = tree;
  if (Array.isArray(entries)) return { line: tree.line, entries: entries.map(plainLines) };
  const pairs = [...(entries as ReadonlyMap<string, LineTree>)];
  return { line: tree.line, entries: new Map(pairs.map(([key, child]) => [key, plainLines(child)])) };
}

describe('parseEventYaml', () => {
  it('answers for the YAML that manifests are written in', () => {
    expect(parseEventYaml(MANIFEST)).toBeDefined();
    expectAgreement(MANIFEST);
  });

  it('answers for JSON', () => {
    const json = JSON.stringify(parseFullYaml(MANIFEST)[0]?.value, null, 2);
    expect(parseEventYaml(json)?.value).toEqual(JSON.parse(json));
  });

  it('agrees with the full parser on generated documents', () => {
    fc.assert(
      fc.property(anyValue, anyStyle, (value, style) => {
        expectAgreement(stringify(value, style));
        expectAgreement(JSON.stringify(value, null, 2));
      }),
      { numRuns: 1000 },
    );
  });

  it('answers or refuses damaged documents and arbitrary text, but never throws', () => {
    fc.assert(
      fc.property(fc.oneof(anyPieces, anyDamaged(MANIFEST)), (text) => {
        parseEventYaml(text);
        readEventLines(text);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(['a: &x 1', 'a: *x', 'a: 1\na: 2', '<<: {a: 1}', 'a: [1', 'a: 1\n---\nb: 2'])(
    'leaves %j to the full parser',
    (text) => {
      expect(parseEventYaml(text)).toBeUndefined();
    },
  );
});
