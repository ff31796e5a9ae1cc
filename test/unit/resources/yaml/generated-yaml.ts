// YAML for the tests of parsers: a manifest, generated values and styles to write them in, and text that is damaged.
import fc from 'fast-check';

export const MANIFEST = `# a policy
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
export const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
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
export const anyStyle = fc.record({
  indent: fc.constantFrom(2, 4),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_SINGLE' as const, 'QUOTE_DOUBLE' as const),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 80),
});
const anyEdit = fc.tuple(fc.nat(), fc.constantFrom(...PIECES), fc.boolean());

export const anyPieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((all) => all.join(''));

/** The text after a few small edits. */
export function anyDamaged(text: string): fc.Arbitrary<string> {
  return fc.array(anyEdit, { minLength: 1, maxLength: 3 }).map((edits) => applyEdits(text, edits));
}

function applyEdits(text: string, edits: readonly (readonly [number, string, boolean])[]): string {
  let edited = text;
  for (const [position, piece, isReplacing] of edits) {
    const at = position % (edited.length + 1);
    edited = edited.slice(0, at) + piece + edited.slice(at + (isReplacing ? 1 : 0));
  }
  return edited;
}
