// What the schema library finds wrong -> problems in the words of an error: code, found, expected, hint.
import type { z } from 'zod';
import type { FieldPath } from './field-path.ts';
import { nearestName } from './nearest.ts';
import { quoteValue, type Report } from './report.ts';

type Issue = z.core.$ZodIssue;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text (quote it)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** Reports each issue; `root` is the document, for the values found in it. */
export function reportIssues(issues: readonly Issue[], root: unknown, schema: z.ZodType, report: Report): void {
  for (const issue of issues) reportIssue(issue, root, schema, report);
}

function reportIssue(issue: Issue, root: unknown, schema: z.ZodType, report: Report): void {
  const path = issue.path as FieldPath;
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schema, path);
    for (const key of issue.keys) {
      const nearest = nearestName(key, known);
      const hint = nearest === undefined ? undefined : `did you mean ${nearest}?`;
      report([...path, key], 'unknown field', { code: 'UNKNOWN_FIELD', hint });
    }
    return;
  }
  const expected = expectedBy(issue);
  if (value === undefined) report(path, 'is missing', { code: 'MISSING_FIELD', expected });
  else report(path, whatIsWrong(issue), { found: foundBy(issue, value), expected, hint: hintFor(issue, value) });
}

/** Schemas say in `params.what` where Calico has words of its own for the problem. */
function whatIsWrong(issue: Issue): string {
  const what: unknown = issue.code === 'custom' ? issue.params?.what : undefined;
  return typeof what === 'string' ? what : 'invalid value';
}

/** The size where only that is wrong: the contents of a long list help nobody. */
function foundBy(issue: Issue, value: unknown): string {
  if (issue.code === 'too_big' && Array.isArray(value)) return `${value.length} items`;
  if (issue.code === 'too_big' && typeof value === 'string') return `${value.length} characters`;
  return quoteValue(value);
}

function expectedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(' or ');
    case 'invalid_union':
      return unionExpected(issue.errors);
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

function unionExpected(branches: readonly (readonly Issue[])[]): string {
  const parts = branches.map((issues) => (issues[0] === undefined ? undefined : expectedBy(issues[0])));
  return [...new Set(parts.filter((part) => part !== undefined))].join(' or ');
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'custom' || typeof value !== 'string') return undefined;
  const candidates: unknown = issue.params?.candidates;
  if (!Array.isArray(candidates)) return undefined;
  const nearest = nearestName(value, candidates as string[]);
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

function valueAt(root: unknown, path: FieldPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** Names of the fields that the schema has at the path. */
function knownFields(schema: z.ZodType, path: FieldPath): string[] {
  let here: unknown = unwrap(schema);
  for (const step of path) {
    const { shape, element } = here as { shape?: Record<string, unknown>; element?: unknown };
    here = unwrap(typeof step === 'number' ? element : shape?.[step]);
  }
  return Object.keys((here as { shape?: object } | undefined)?.shape ?? {});
}

/** The type inside optional() and default(). */
function unwrap(schema: unknown): unknown {
  let inner = schema as { def?: { innerType?: unknown } } | undefined;
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner;
}
