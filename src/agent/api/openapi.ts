// The OpenAPI 3.1 document: made from the list of routes and from the schemas that manifests are checked with. Pure; kept as
// docs/openapi.json, and answered at /openapi.json.
import { z } from 'zod';
import { findKind, type KindDefinition } from '../../resources/kinds.ts';
import { CAPTURE_VERDICTS } from '../capture/capture-request.ts';
import { answerSchemas } from './answers/all.ts';
import { COLLECTIONS } from './collections.ts';
import { QUERY, type Route } from './route.ts';
import { ROUTES } from './routes/all.ts';

type Json = Readonly<Record<string, unknown>>;

export const OPENAPI_PATH = '/openapi.json';
/** Paths of the first API: their failures keep the form that its clients read. */
export const FIRST_API = '/v1/';

const string = { type: 'string' };
const integer = { type: 'integer' };
const list = (items: object): object => ({ type: 'array', items });
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});

/** What is no kind of resource, and not in answers/all.ts. */
const OWN_SCHEMAS: Json = {
  Health: object({ status: string, degraded: list(string) }, ['status']),
  Version: object({ version: string, api: string }, ['version', 'api']),
  InterfaceRequest: object({ interface: string }, ['interface']),
  ProbeReport: object({ samples: list(object({ protocol: string, result: string, ms: { type: 'number' } })) }, [
    'samples',
  ]),
  CaptureRequest: object({
    selector: string,
    namespace: string,
    endpoint: string,
    hostEndpoint: string,
    drops: { type: 'boolean' },
    verdict: { type: 'string', enum: CAPTURE_VERDICTS },
    seconds: integer,
    snapBytes: integer,
    packetsPerSecond: integer,
  }),
  WhyRequest: object(
    {
      flow: { description: 'As of /v1/verdict.' },
      past: object({
        time: integer,
        verdict: string,
        direction: string,
        enforced: list(string),
        pending: list(string),
        reason: string,
      }),
    },
    ['flow'],
  ),
  ChangeTraffic: object({
    revision: integer,
    time: string,
    windowMs: integer,
    records: object({ before: integer, after: integer }),
    isComplete: { type: 'boolean' },
    policies: list({}),
    turned: list({}),
    total: {},
  }),
  Why: object({ flow: {}, verdict: string, sides: list({}), turn: {}, recorded: {} }, ['flow', 'verdict', 'sides']),
  Patch: { description: 'A merge patch or the object to apply, or the operations of a JSON patch.' },
  Manifests: { description: 'A YAML stream, one object, a list of objects, or an object of kind List.' },
  BlockRequest: object(
    { cidrs: list(string), ttl: string, reason: string, session: string, force: { type: 'boolean' } },
    ['cidrs'],
  ),
  UnblockRequest: object({ cidrs: list(string) }, ['cidrs']),
  PrefixLines: { type: 'string', description: 'One address or prefix a line; what is behind # or ; does not count.' },
  BlockOutcome: object(
    {
      added: integer,
      replaced: integer,
      removed: integer,
      bad: list(object({ line: integer, text: string, why: string })),
      badCount: integer,
      inForceMs: { type: ['number', 'null'] },
      warning: { type: ['string', 'null'] },
    },
    ['added', 'replaced', 'removed', 'bad', 'badCount', 'inForceMs', 'warning'],
  ),
  BlockTest: object({ address: string, isBlocked: { type: 'boolean' }, by: list({}) }, ['address', 'isBlocked', 'by']),
  FlowList: object({ kind: string, metadata: object({ continue: string }), items: list({ type: 'object' }) }, [
    'items',
  ]),
  FlowSums: object(
    {
      kind: string,
      by: string,
      measure: string,
      items: list(object({ bytes: integer, packets: integer, flows: integer, denied: integer })),
    },
    ['by', 'measure', 'items'],
  ),
  FlowGraph: object(
    {
      kind: string,
      nodes: list(object({ name: string, type: string }, ['name', 'type'])),
      edges: list(
        object(
          {
            source: string,
            destination: string,
            protocol: string,
            port: integer,
            bytes: integer,
            packets: integer,
            flows: integer,
            denied: integer,
          },
          ['source', 'destination', 'protocol', 'port', 'bytes', 'packets', 'flows', 'denied'],
        ),
      ),
    },
    ['nodes', 'edges'],
  ),
  DeleteOptions: object({ preconditions: object({ resourceVersion: string, uid: string }) }),
  RollbackRequest: object({ revision: { type: ['integer', 'string'] } }, ['revision']),
  ObjectList: object(
    {
      apiVersion: string,
      kind: string,
      metadata: object({ resourceVersion: string, continue: string }),
      items: list({}),
    },
    ['items'],
  ),
  ChangeReport: object(
    {
      kind: string,
      apiVersion: string,
      revision: string,
      dryRun: { type: 'boolean' },
      confirmation: { type: 'object' },
      changes: list(object({ id: string, result: { enum: ['created', 'configured', 'unchanged', 'deleted'] } })),
      kept: list(object({ id: string, revision: { type: 'integer' }, file: string, line: { type: 'integer' } })),
      skipped: list(object({ id: string, reason: string })),
      inForce: { const: false },
      error: string,
      difference: { type: 'object' },
    },
    ['revision', 'dryRun', 'changes'],
  ),
  HistoryEntry: object(
    { revision: { type: 'integer' }, time: string, who: { type: 'object' }, verb: string, changes: list({}) },
    ['revision', 'time', 'who', 'verb', 'changes'],
  ),
  HistoryList: object({ items: list({ $ref: '#/components/schemas/HistoryEntry' }) }, ['items']),
  /** Of paths below /v1. */
  FirstStatus: object({ code: string, error: string }, ['code', 'error']),
  Status: object(
    {
      kind: { const: 'Status' },
      status: { const: 'Failure' },
      message: string,
      reason: string,
      code: { type: 'integer' },
      details: object({
        causes: list(object({ reason: string, message: string, field: string, error: { type: 'object' } })),
      }),
    },
    ['kind', 'status', 'message', 'reason', 'code'],
  ),
};

/** The document, without a version of its own: its paths are what counts. */
export function describeApi(routes: readonly Route[] = ROUTES): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  paths[OPENAPI_PATH] = {
    get: {
      operationId: 'getOpenApi',
      summary: 'This document',
      responses: { 200: { description: 'OK', content: { 'application/json': { schema: { type: 'object' } } } } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Tortie agent', version: 'v1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: 'http://localhost', description: 'Over the unix socket of the agent' }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { ...OWN_SCHEMAS, ...answerSchemas(), ...kindSchemas() },
      parameters: describeParameters(),
      responses: {
        Failure: { description: 'Why not', content: { 'application/json': { schema: refTo('Status') } } },
        FirstFailure: { description: 'Why not', content: { 'application/json': { schema: refTo('FirstStatus') } } },
      },
    },
  };
}

const IN_PATHS = ['namespace', 'name', 'revision'];

/** Under which a parameter of a query is described: its name, unless one of a path has that. */
function queryComponent(name: string): string {
  return IN_PATHS.includes(name) ? `${name}InQuery` : name;
}

function describeParameters(): Json {
  const inPath = IN_PATHS.map((name) => [name, { name, in: 'path', required: true, schema: string }]);
  const inQuery = Object.entries(QUERY).map(([name, rest]) => [queryComponent(name), { name, in: 'query', ...rest }]);
  return Object.fromEntries([...inPath, ...inQuery]) as Json;
}

function kindSchemas(): Record<string, unknown> {
  const options = { io: 'input', unrepresentable: 'any' } as const;
  const entries = COLLECTIONS.map(({ type, apiVersion, kind }): [string, unknown] => {
    const { $schema: _dialect, ...rest } = z.toJSONSchema(
      (findKind(apiVersion, kind) as KindDefinition).schema,
      options,
    );
    return [type, rest];
  });
  return Object.fromEntries(entries);
}

function describeRoute(route: Route): Json {
  const { path, id, summary, query = [], body } = route;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const components = [...names, ...query.map(queryComponent)];
  const parameters = components.map((component) => ({ $ref: `#/components/parameters/${component}` }));
  return {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.isOptional !== true,
            content: Object.fromEntries(body.contentTypes.map((type) => [type, { schema: refTo(body.schema) }])),
          },
        }),
    responses: describeResponses(route),
  };
}

function describeResponses({ path, answer }: Route): Json {
  const { schema, contentType = 'application/json', status = 200, more = {} } = answer;
  const schemas = new Map([[status, schema === undefined ? [string] : [refTo(schema)]]]);
  for (const [code, names] of Object.entries(more)) {
    schemas.set(Number(code), [...(schemas.get(Number(code)) ?? []), ...names.map(refTo)]);
  }
  const described = [...schemas].map(([code, list]): [number, Json] => {
    const [first] = list;
    const media = { schema: list.length === 1 ? first : { anyOf: list } };
    return [code, { description: code < 400 ? 'Done' : 'Not now', content: { [contentType]: media } }];
  });
  const failure = path.startsWith(FIRST_API) ? 'FirstFailure' : 'Failure';
  return { ...Object.fromEntries(described), default: { $ref: `#/components/responses/${failure}` } };
}

function refTo(schema: string): Json {
  return { $ref: `#/components/schemas/${schema}` };
}
