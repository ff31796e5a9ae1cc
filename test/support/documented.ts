// Answers of the API as its OpenAPI document has them, for tests, which are to know every field there is: the document itself lets
// fields of a later agent pass.
import { z } from 'zod';
import { ANSWERS } from '../../src/agent/api/answers/all.ts';
import { describeApi } from '../../src/agent/api/openapi.ts';

const { components } = describeApi() as unknown as {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};
const SCHEMAS = Object.fromEntries(
  Object.entries(components.schemas).map(([name, schema]) => [
    name,
    Object.hasOwn(ANSWERS, name) ? closed(schema) : schema,
  ]),
);

/** What the schema lets pass; it may refer to those of the document. */
export function readerOf(schema: object | undefined): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: SCHEMAS }).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
}

/** Why the answer is not what the document's schema of that name says; '' = it is. */
export function undocumented(name: keyof typeof ANSWERS, answer: unknown): string {
  return readerOf({ $ref: `#/components/schemas/${name}` }).safeParse(answer).error?.message ?? '';
}

/** The schema with no room for fields that it does not name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}
