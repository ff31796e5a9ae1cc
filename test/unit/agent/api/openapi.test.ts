// The document and the server, each held to the other; UPDATE_GOLDEN=1 writes docs/openapi.json anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COLLECTIONS } from '../../../../src/agent/api/collections.ts';
import { describeApi } from '../../../../src/agent/api/openapi.ts';
import { Router } from '../../../../src/agent/api/router.ts';
import { ROUTES } from '../../../../src/agent/api/routes/all.ts';

const FILE = 'docs/openapi.json';
const SERVED_BY_THE_SERVER = 'GET /openapi.json';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly $ref: string }[];
  readonly responses: object;
}

const document = describeApi() as unknown as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly parameters: Readonly<Record<string, { readonly name: string; readonly in: string }>>;
  };
};

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

describe('the OpenAPI document', () => {
  it('has every route of the server, and no other', () => {
    const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(
      operations()
        .map(([key]) => key)
        .sort(),
    ).toEqual([...routes, SERVED_BY_THE_SERVER].sort());
    expect(new Set(routes).size).toBe(routes.length);
  });

  it('names operations that the router finds by their paths', () => {
    const router = new Router(ROUTES);
    for (const [key, { operationId }] of operations()) {
      if (key === SERVED_BY_THE_SERVER) continue;
      const [method = '', path = ''] = key.split(' ');
      expect(router.find(method, path.replaceAll(/[{}]/g, ''))?.route?.id).toBe(operationId);
    }
  });

  it('describes every parameter of a path once, and gives each operation a name of its own', () => {
    for (const [key, operation] of operations()) {
      const wanted = [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = (operation.parameters ?? []).map(
        ({ $ref }) =>
          document.components.parameters[$ref.replace('#/components/parameters/', '')] as { name: string; in: string },
      );
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(wanted);
      expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
    }
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('refers only to schemas that it has, every kind of resource among them', () => {
    const names = Object.keys(document.components.schemas);
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) expect(names).toContain(name);
    expect(text).not.toContain('"#/$defs');
    expect(names).toEqual(expect.arrayContaining([...new Set(COLLECTIONS.map(({ type }) => type))]));
    expect(document.openapi).toBe('3.1.0');
  });

  it(`is what ${FILE} says`, () => {
    const text = `${JSON.stringify(document, null, 1)}\n`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(FILE, text);
    expect(readFileSync(FILE, 'utf8')).toBe(text);
  });
});
