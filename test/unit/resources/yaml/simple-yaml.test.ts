import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseEventYaml } from '../../../../src/resources/yaml/event-yaml.ts';
import { parseFullYaml } from '../../../../src/resources/yaml/full-yaml.ts';
import { parseSimpleYaml } from '../../../../src/resources/yaml/simple-yaml.ts';
import { anyDamaged, anyPieces, anyStyle, anyValue } from './generated-yaml.ts';

const POLICY = `# a policy

apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  name: web # trailing
  labels: {tier: front, "app.kubernetes.io/name": web, zone: '7'}
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
        - 2001:db8::/32
    destination:
      ports: [80, "90:100", http]
  - action: Deny
    notProtocol: -1
  # nothing but deny
  -
    action: Deny
  - {action: Log, metadata: {annotations: {}}}
  egress: []
  doNotTrack: false
  status:
`;

/** Beginnings and rests of lines, put together. */
const STARTS = ['', '', '  ', '    ', ' ', '- ', '  - ', '- - ', '    - ', '-   '];
const KEYS = ['a', 'b', '"d"', "'e'", '1', 'x y', '{a: 1}', '[a,b]', '{', '}', ']', '# c', '', 'true', '__proto__'];
const SIGNS = [':', ': ', ':  ', '', ' :'];
const RESTS = ['', 'v', ' w # c', '"q"', '"q" # c', "'s'#", '[1, {a: b}, "c"]', '{"k":1, l: m}', '{k: [1,', '[a,'];
const MORE_RESTS = ['b]', '10.0.0.1', '10.0.0.0/8', '0755', '-5', '1.0', '1e3', '2001:db8::1', 'yes', '-', '- x', '|'];
const anyLine = fc
  .tuple(...[STARTS, KEYS, SIGNS, [...RESTS, ...MORE_RESTS]].map((parts) => fc.constantFrom(...parts)))
  .map((parts) => parts.join(''));
const anyLines = fc.array(anyLine, { maxLength: 6 }).map((lines) => lines.join('\n'));

/** It may refuse to answer; if it answers, then as both other parsers do, the order of fields included. */
function expectAgreement(text: string): void {
  const answer = parseSimpleYaml(text);
  if (answer === undefined) return;
  const others = [parseEventYaml(text), ...parseFullYaml(text).map(({ value, line }) => ({ value, line }))];
  expect({ text, others: others.map(inOrder) }).toEqual({ text, others: [inOrder(answer), inOrder(answer)] });
}

function inOrder(document: unknown): string {
  return JSON.stringify(document);
}

describe('parseSimpleYaml', () => {
  it('answers for the YAML that manifests are written in', () => {
    expect(parseSimpleYaml(POLICY)).toBeDefined();
    expectAgreement(POLICY);
  });

  it.each([undefined, 2])('answers for JSON indented by %s', (indent) => {
    const json = JSON.stringify(parseFullYaml(POLICY)[0]?.value, null, indent);
    const plain = json.replaceAll('\\"', "'");
    expect(parseSimpleYaml(plain)?.value).toEqual(JSON.parse(plain));
  });

  it('agrees with the other parsers on generated documents', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anyValue, anyStyle, (value, style) => {
        expectAgreement(stringify(value, style));
        expectAgreement(JSON.stringify(value, null, 2));
        expectAgreement(JSON.stringify(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with the other parsers, where it answers, on damaged documents and arbitrary text', () => {
    fc.assert(fc.property(fc.oneof(anyPieces, anyLines, anyDamaged(POLICY)), expectAgreement), { numRuns: 10_000 });
  });

  it.each([
    'a: &x 1',
    'a: *x',
    'a: !t 1',
    'a: 1\na: 2',
    'a: {b: 1, b: 2}',
    '<<: {a: 1}',
    '__proto__: {a: 1}',
    'constructor: 1',
    '? a',
    'a: [1',
    'a: [b: 1]',
    'a: {b}',
    'a: |\n  text',
    'a: "\\n"',
    "a: 'it''s'",
    'a: two\n  lines',
    'a: "two\n  lines"',
    'a: b: c',
    'a: 0x10',
    'a: 010',
    'a: -0',
    'a: 1e3',
    'a: NULL',
    'a: é',
    'a:\tb',
    'a: 1\r\n',
    '12: a',
    'a:\n b: 1\n  c: 2',
    'a:\n  b: 1\n c: 2',
    '- a\nb: 1',
    'a: 1\n--- \nb: 2',
    'a: 1\n...',
    '%YAML 1.2',
    'text',
    '',
    '# nothing',
    `${'a'.repeat(1025)}: 1`,
    `a: ${'['.repeat(40)}${']'.repeat(40)}`,
    Array.from({ length: 60 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''),
  ])('leaves %j to the other parsers', (text) => {
    expect(parseSimpleYaml(text)).toBeUndefined();
  });
});
