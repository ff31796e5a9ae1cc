import { describe, expect, it } from 'vitest';
import { RULE_IDS } from '../../../../src/analysis/lint/catalogue.ts';
import { toSarif } from '../../../../src/analysis/lint/sarif.ts';
import { lintText, SHOP, webPolicy } from './linted.ts';

const OPTIONS = { version: '1.2.3', uriOf: (file: string) => `manifests/${file}` };
const POLICY = webPolicy(
  'ingress: [{action: Deny, protocol: TCP}, {action: Allow, protocol: TCP, destination: {ports: [80]}}]',
);
const SUPPRESSED = webPolicy('types: [Ingress, Egress]', 'q').replace(
  'namespace: shop}',
  'namespace: shop, annotations: {lint.tortie.dev/ignore: "isolated-from-everything: quarantine"}}',
);

/**
 * Required fields and values of the parts of SARIF 2.1.0 that are used (sarif-schema-2.1.0.json): a type by name, a
 * choice of texts, or the fields of an object; `?` marks optional ones, a list has one element that says what is in it.
 */
type Shape = string | readonly string[] | readonly [Shape] | { readonly [field: string]: Shape };

const MESSAGE: Shape = { text: 'string' };
const LEVEL: Shape = ['none', 'note', 'warning', 'error'];
const PLACE: Shape = {
  artifactLocation: { uri: 'string', 'uriBaseId?': 'string' },
  'region?': { startLine: 'positive' },
};
const SARIF: Shape = {
  $schema: 'string',
  version: ['2.1.0'],
  runs: [
    {
      tool: {
        driver: {
          name: 'string',
          version: 'string',
          rules: [
            {
              id: 'string',
              name: 'string',
              shortDescription: MESSAGE,
              fullDescription: MESSAGE,
              help: MESSAGE,
              defaultConfiguration: { level: LEVEL },
            },
          ],
        },
      },
      columnKind: ['utf16CodeUnits', 'unicodeCodePoints'],
      invocations: [
        { executionSuccessful: 'boolean', toolExecutionNotifications: [{ level: LEVEL, message: MESSAGE }] },
      ],
      results: [
        {
          ruleId: 'string',
          ruleIndex: 'number',
          level: LEVEL,
          message: MESSAGE,
          locations: [
            { physicalLocation: PLACE, logicalLocations: [{ fullyQualifiedName: 'string', kind: 'string' }] },
          ],
          'relatedLocations?': [{ id: 'number', message: MESSAGE, physicalLocation: PLACE }],
          partialFingerprints: { 'tortieLint/v1': 'string' },
          'suppressions?': [{ kind: ['inSource', 'external'], justification: 'string' }],
          properties: { object: 'string', 'field?': 'string', 'code?': 'string' },
        },
      ],
    },
  ],
} as unknown as Shape;

/** What in the value is not as the shape says. */
function deviations(value: unknown, shape: Shape, path = '$'): string[] {
  if (shape === 'positive') return Number.isInteger(value) && (value as number) > 0 ? [] : [`${path}: ${value}`];
  if (typeof shape === 'string') return typeof value === shape ? [] : [`${path}: ${typeof value}`];
  if (Array.isArray(shape)) {
    if (shape.every((item) => typeof item === 'string'))
      return shape.includes(String(value)) ? [] : [`${path}: ${value}`];
    if (!Array.isArray(value)) return [`${path}: no list`];
    return value.flatMap((item, index) => deviations(item, shape[0] as Shape, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [`${path}: no object`];
  const fields = shape as Readonly<Record<string, Shape>>;
  const known = new Set(Object.keys(fields).map((field) => field.replace('?', '')));
  const unknown = Object.keys(value).filter((field) => !known.has(field));
  return [
    ...unknown.map((field) => `${path}.${field}: not in the shape`),
    ...Object.entries(fields).flatMap(([field, inner]) => {
      const name = field.replace('?', '');
      const own = (value as Record<string, unknown>)[name];
      if (own === undefined) return field.endsWith('?') ? [] : [`${path}.${name}: missing`];
      return deviations(own, inner, `${path}.${name}`);
    }),
  ];
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions?: readonly unknown[];
}

function resultsOf(...documents: readonly string[]): readonly Result[] {
  const { runs } = toSarif(lintText(...documents), OPTIONS) as { runs: { results: Result[] }[] };
  return runs[0]?.results ?? [];
}

describe('SARIF', () => {
  it('has every required field and no other', () => {
    const written: unknown = JSON.parse(
      JSON.stringify(toSarif(lintText(SHOP, POLICY, SUPPRESSED, 'kind: x'), OPTIONS)),
    );
    expect(deviations(written, SARIF)).toEqual([]);
    const remark: unknown = JSON.parse(JSON.stringify(toSarif(lintText(POLICY), OPTIONS)));
    expect(deviations(remark, SARIF)).toEqual([]);
  });

  it('refers to rules by their position', () => {
    for (const { ruleId, ruleIndex } of resultsOf(SHOP, POLICY)) expect(RULE_IDS[ruleIndex]).toBe(ruleId);
  });

  it('keeps fingerprints when lines move, and has none twice', () => {
    const prints = (results: readonly Result[]) => results.map((one) => one.partialFingerprints['tortieLint/v1']);
    const before = prints(resultsOf(SHOP, POLICY, SUPPRESSED));
    expect(prints(resultsOf(`# moved\n\n${SHOP}`, SUPPRESSED, `# moved\n${POLICY}`)).sort()).toEqual(
      [...before].sort(),
    );
    expect(new Set(before).size).toBe(before.length);
  });

  it('carries the reason of what is suppressed', () => {
    const [suppressed] = resultsOf(SHOP, SUPPRESSED);
    expect(suppressed?.suppressions).toEqual([{ kind: 'inSource', justification: 'quarantine' }]);
  });

  it('leaves absolute URIs without a base', () => {
    const options = { ...OPTIONS, uriOf: () => 'file:///elsewhere/f.yaml' };
    const text = JSON.stringify(toSarif(lintText(SHOP, POLICY), options));
    expect(text).toContain('file:///elsewhere/f.yaml');
    expect(text).not.toContain('%SRCROOT%');
  });
});
