import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseEventYaml, readEventLines } from '../../../../src/resources/yaml/event-yaml.ts';
import { parseFullYaml } from '../../../../src/resources/yaml/full-yaml.ts';
import type { LineTree } from '../../../../src/resources/yaml/line-tree.ts';

const MANIFEST = `# a policy
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  name: web # trailing
  labels: {tier: front, "app.kubernetes.io/name": web}
  annotations:
    note: |
      two
      lines
    other: 'it''s'
spec:
  order: 10.5
  selector: app == "web" && has(x)
  types: [Ingress,
    Egress]
  ingress:
  - action: Allow
    protocol: TCP
    source:
      nets:
        - 10.0.0.0/8
        - "fe80::/10"
    destination:
      ports: [80, "90:100", http]
  -
    action: Deny
  egress: []
`;

const PIECES = [
  'a',
  'b',
  ':',
  ': ',
  '#',
  ' #',
  ' ',
  '-',
  '- ',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ',',
  '|',
  '>',
  '&',
  '*',
  '!',
  '%',
  '~',
  '.',
  '0',
  '1',
  '\n',
  '\n  ',
  '\n    ',
  '<',
  '=',
  '?',
  'null',
  'true',
  'a: ',
  '- a: ',
];

/** Two libraries, two opinions on blank lines in block scalars: what policy is made of has one line. */
const isOneLine = (text: string): boolean => !/[\r\n\u0085\u2028\u2029]/.test(text);
const anyLeaf = fc.oneof(
  fc.string({ unit: fc.constantFrom(...PIECES), maxLength: 6 }).filter(isOneLine),
  fc.string().filter(isOneLine),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    anyLeaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(
        fc.constantFrom('a', 'name', 'app.k8s/x', 'true', 'on', '12'),
        fc.string({ maxLength: 4 }).filter(isOneLine),
      ),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;
const anyStyle = fc.record({
  indent: fc.constantFrom(2, 4),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_SINGLE' as const, 'QUOTE_DOUBLE' as const),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 80),
});
const anyEdit = fc.tuple(fc.nat(), fc.constantFrom(...PIECES), fc.boolean());

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

function applyEdits(text: string, edits: readonly (readonly [number, string, boolean])[]): string {
  let edited = text;
  for (const [position, piece, isReplacing] of edits) {
    const at = position % (edited.length + 1);
    edited = edited.slice(0, at) + piece + edited.slice(at + (isReplacing ? 1 : 0));
  }
  return edited;
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
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((all) => all.join(''));
    const damaged = fc.array(anyEdit, { minLength: 1, maxLength: 3 }).map((edits) => applyEdits(MANIFEST, edits));
    fc.assert(
      fc.property(fc.oneof(pieces, damaged), (text) => {
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
