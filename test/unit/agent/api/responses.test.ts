// Every route is asked once or more, and what it answers is held to what the OpenAPI document says of it: the status, the
// content type, and the schema of the body.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { describeApi } from '../../../../src/agent/api/openapi.ts';
import type { Route } from '../../../../src/agent/api/route.ts';
import { Router } from '../../../../src/agent/api/router.ts';
import { ROUTES } from '../../../../src/agent/api/routes/all.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { policy, question, tier, WORKLOADS } from '../../../support/agent/store-manifests.ts';
import { readerOf } from '../../../support/documented.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

interface Answered {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

interface Response {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}

const document = describeApi() as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Partial<Operation>>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
};
const router = new Router(ROUTES);
const seen = new Set<string>();

let agent: KernelLessAgent;

beforeAll(async () => {
  agent = await KernelLessAgent.start({ manifests: { 'lab.yaml': WORKLOADS } });
});

afterAll(() => agent.end());

/** Of an answer with that status, as the document has it; references are to its other schemas. */
function responseSchema({ method, path }: Route, status: number): z.ZodType {
  const { responses = {} } = document.paths[path]?.[method.toLowerCase()] ?? {};
  const response =
    responses[status] ??
    (document.components.responses[path.startsWith('/v1/') ? 'FirstFailure' : 'Failure'] as Response);
  if (responses[status] === undefined && status < 400)
    throw new Error(`${method} ${path}: ${status} is not documented`);
  return readerOf(response.content['application/json']?.schema);
}

function ask({ method, path, body, contentType = 'application/json' }: Asked): Promise<Answered> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === undefined ? {} : { 'content-type': contentType };
    const outgoing = request({ socketPath: agent.options.socket, method, path, headers, agent: false }, (answer) => {
      const head = { status: answer.statusCode ?? 0, contentType: String(answer.headers['content-type']) };
      let read = '';
      // A stream goes on: what it begins with is enough.
      answer.on('data', (chunk) => {
        read += String(chunk);
        if (head.contentType.includes('ndjson')) answer.destroy();
      });
      answer.on('close', () => resolve({ ...head, text: read }));
      if (head.contentType.includes('ndjson') && !path.includes('watch=')) answer.destroy();
    });
    outgoing.on('error', reject);
    outgoing.end(text);
  });
}

function routeOf({ method, path }: Asked): Route {
  const found = router.find(method, path.split('?')[0] as string)?.route;
  if (found === undefined) throw new Error(`no route: ${method} ${path}`);
  return found;
}

/** Throws unless the answer is what the document says. */
async function expectDocumented(asked: Asked): Promise<Answered> {
  const route = routeOf(asked);
  seen.add(route.id);
  const answered = await ask(asked);
  const place = `${asked.method} ${asked.path}: ${answered.status} ${answered.text.slice(0, 300)}`;
  const { contentType = 'application/json' } = route.answer;
  if (asked.path.includes('watch=') && answered.status === 200) return answered;
  expect(answered.contentType, place).toContain(answered.status < 400 ? contentType : 'application/json');
  if (!answered.contentType.includes('application/json')) return answered;
  const schema = responseSchema(route, answered.status);
  expect(schema.safeParse(JSON.parse(answered.text)).error?.message ?? '', place).toBe('');
  return answered;
}

const CALICO = '/apis/projectcalico.org/v3';
const GREEN = `${CALICO}/namespaces/lab/networkpolicies/green`;

const STEPS: readonly (readonly [asked: Asked, status: number])[] = [
  [{ method: 'GET', path: '/liveness' }, 200],
  [{ method: 'GET', path: '/readiness' }, 200],
  [{ method: 'GET', path: '/version' }, 200],
  [{ method: 'GET', path: '/metrics' }, 200],
  [{ method: 'GET', path: '/v1/status' }, 200],
  [{ method: 'GET', path: '/v1/config' }, 200],
  [{ method: 'GET', path: '/v1/tables' }, 200],
  [{ method: 'GET', path: '/v1/manifests' }, 200],
  [{ method: 'GET', path: '/v1/flows' }, 200],
  [{ method: 'GET', path: '/v1/events' }, 200],
  [{ method: 'POST', path: '/v1/verdict', body: question(80) }, 200],
  [{ method: 'POST', path: '/v1/probes', body: { samples: [{ protocol: 'TCP', result: 'ok', ms: 1 }] } }, 200],
  [{ method: 'POST', path: '/block/add', body: { cidrs: ['203.0.113.0/24'], ttl: '1h', reason: 'abuse' } }, 200],
  [{ method: 'GET', path: '/block' }, 200],
  [{ method: 'GET', path: '/flows/store' }, 200],
  [{ method: 'PUT', path: '/v1/endpoints/lab/red', body: { interface: 'veth0' } }, 200],
  [{ method: 'DELETE', path: '/v1/endpoints/lab/red' }, 200],
  [{ method: 'POST', path: `${CALICO}/tiers`, body: tier('a', 1, { x: 'y' }) }, 201],
  [{ method: 'POST', path: `${CALICO}/tiers`, body: tier('a', 1) }, 409],
  [{ method: 'POST', path: `${CALICO}/tiers?dryRun=All&diff=true`, body: tier('b', 1) }, 200],
  [{ method: 'PUT', path: `${CALICO}/tiers/a`, body: tier('a', 2) }, 200],
  [{ method: 'PUT', path: `${CALICO}/tiers/none`, body: tier('none', 2) }, 404],
  [
    {
      method: 'PATCH',
      path: `${CALICO}/tiers/a`,
      body: { spec: { order: 3 } },
      contentType: 'application/merge-patch+json',
    },
    200,
  ],
  [{ method: 'PATCH', path: `${CALICO}/tiers/a`, body: {}, contentType: 'text/plain' }, 400],
  [{ method: 'PATCH', path: GREEN, body: policy('green', [80]), contentType: 'application/apply-patch+yaml' }, 201],
  [
    {
      method: 'POST',
      path: `${CALICO}/namespaces/lab/networkpolicies`,
      body: { ...policy('x', []), spec: { ordr: 1 } },
    },
    422,
  ],
  [{ method: 'GET', path: GREEN }, 200],
  [{ method: 'GET', path: `${CALICO}/namespaces/lab/networkpolicies/red-sends` }, 200],
  [{ method: 'DELETE', path: `${CALICO}/namespaces/lab/networkpolicies/red-sends` }, 409],
  [{ method: 'GET', path: `${CALICO}/tiers?watch=true&resourceVersion=99` }, 410],
  [{ method: 'GET', path: `${CALICO}/tiers?watch=true` }, 200],
  [{ method: 'POST', path: '/apply?confirm=60s', body: [tier('c', 1)] }, 200],
  [{ method: 'POST', path: '/apply', body: [tier('c', 2)] }, 409],
  [{ method: 'GET', path: '/history' }, 200],
  [{ method: 'GET', path: '/history/1' }, 200],
  [{ method: 'GET', path: '/history/99' }, 404],
  [{ method: 'POST', path: '/confirm/4' }, 404],
  [{ method: 'POST', path: '/confirm/5' }, 200],
  [{ method: 'GET', path: '/export' }, 200],
  [{ method: 'POST', path: '/import?dryRun=All', body: [tier('c', 1)] }, 200],
  [{ method: 'POST', path: '/rollback', body: { revision: 1 } }, 200],
  [{ method: 'POST', path: '/rollback', body: { revision: 'x' } }, 400],
  [{ method: 'DELETE', path: `${CALICO}/tiers/a` }, 200],
];

describe('every response', () => {
  it('of JSON has a schema that says of what type it is', () => {
    const isOpen = (name: string): boolean => {
      const { type, anyOf, oneOf } = (document.components.schemas[name] ?? {}) as Readonly<Record<string, unknown>>;
      return (type ?? anyOf ?? oneOf) === undefined;
    };
    const open = ROUTES.filter(({ answer: { schema, more = {} } }) =>
      [...(schema === undefined ? [] : [schema]), ...Object.values(more).flat()].some(isOpen),
    );
    expect(open.map(({ id }) => id)).toEqual([]);
  });

  it('is what the document says, step by step', async () => {
    for (const [asked, status] of STEPS) {
      const { status: found, text } = await expectDocumented(asked);
      expect(`${asked.method} ${asked.path} ${found}`, text.slice(0, 300)).toBe(
        `${asked.method} ${asked.path} ${status}`,
      );
    }
  });

  it('of every kind is what the document says: lists, one object, and changes of what is not there', async () => {
    for (const { method, path } of ROUTES.filter(({ id }) => !seen.has(id))) {
      const filled = path.replace('{namespace}', 'lab').replace('{name}', 'none').replace('{revision}', '1');
      const body =
        method === 'GET' || method === 'DELETE'
          ? {}
          : { body: {}, contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
      await expectDocumented({ method, path: filled, ...body });
    }
    expect(ROUTES.filter(({ id }) => !seen.has(id)).map(({ id }) => id)).toEqual([]);
  });
});
