// The document that docs/openapi.json keeps, held to the meta-schema that the OpenAPI Initiative publishes for 3.1, and its
// schemas to a reader of JSON Schema. Whether it says what the server does is openapi.test.ts.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

interface Document {
  readonly openapi: string;
  readonly info: object;
  readonly paths: Record<string, Record<string, object>>;
  readonly components: { readonly schemas: Record<string, object> };
}

type Spoil = (document: Document) => Record<string, unknown>;

const read = (): Document => JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document;

/** One change each that makes a document which is none of OpenAPI 3.1. */
const SPOILT: Readonly<Record<string, Spoil>> = {
  'has no info': ({ info: _, ...rest }) => rest,
  'is of no known version': (document) => ({ ...document, openapi: '3.9.0' }),
  'has a path without a slash': (document) => withPath(document, 'version', {}),
  'has an operation id that is no text': (document) => withPath(document, '/version', { get: { operationId: 5 } }),
  'has a field that no operation has': (document) => withPath(document, '/version', { get: { answers: {} } }),
  'has a parameter without a schema': (document) =>
    withPath(document, '/version', { parameters: [{ name: 'limit', in: 'query' }] }),
  'refers to a schema that is not there': (document) => {
    const { components } = document;
    const Version = { $ref: '#/components/schemas/Missing' };
    return { ...document, components: { ...components, schemas: { ...components.schemas, Version } } };
  },
};

function withPath(document: Document, path: string, item: object): Record<string, unknown> {
  return { ...document, paths: { ...document.paths, [path]: item } };
}

describe('docs/openapi.json', () => {
  it('is an OpenAPI 3.1 document by the official meta-schema', async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...read() })).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it.each(Object.entries(SPOILT))('would be refused if it %s', async (_, spoil) => {
    expect(await new Validator().validate(spoil(read()))).toMatchObject({ valid: false });
  });

  it('has only schemas that a reader of JSON Schema understands', () => {
    const { schemas } = read().components;
    const text = JSON.stringify(schemas).replaceAll('#/components/schemas/', '#/$defs/');
    const $defs = JSON.parse(text) as Record<string, object>;
    const isUnderstood = (schema: object): boolean =>
      z.fromJSONSchema({ ...schema, $defs } as Parameters<typeof z.fromJSONSchema>[0]) instanceof z.ZodType;
    expect(Object.keys($defs).filter((name) => !isUnderstood($defs[name] ?? {}))).toEqual([]);
    expect(() => isUnderstood({ type: 'strin' })).toThrow();
  });
});
