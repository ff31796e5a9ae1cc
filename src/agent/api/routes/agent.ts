// The agent itself: health, version, status, tables, events, metrics, verdicts, and which interface an endpoint is behind.
import { z } from 'zod';
import { DataplaneError } from '../../../base/errors.ts';
import { formatAnswer, parseFlowQuestion } from '../../../model/flow-question.ts';
import { API_VERSION } from '../../version.ts';
import { readJson } from '../body.ts';
import type { ApiContext, ApiRequest, Reply, Responder, Route } from '../route.ts';

const interfaceBody = z.strictObject({ interface: z.string().regex(/^[a-zA-Z0-9_.:-]{1,15}$/) });

export const AGENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/liveness',
    id: 'getLiveness',
    summary: 'The agent answers',
    answer: { schema: 'Health' },
    handle: () => ({ body: { status: 'ok' } }),
  },
  {
    method: 'GET',
    path: '/readiness',
    id: 'getReadiness',
    summary:
      'Everything that was accepted is in force; 503 when it is not. What is degraded is told, and makes no difference',
    answer: { schema: 'Health', more: { 503: ['Health'] } },
    handle: ({ agent }) =>
      agent.isInSync
        ? { body: { status: 'ok', ...degraded(agent) } }
        : { status: 503, body: { status: 'not in sync', ...degraded(agent) } },
  },
  {
    method: 'GET',
    path: '/version',
    id: 'getVersion',
    summary: 'The version of the agent and of its API',
    answer: { schema: 'Version' },
    handle: ({ version }) => ({ body: { version, api: API_VERSION } }),
  },
  {
    method: 'GET',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Prometheus metrics',
    answer: { contentType: 'text/plain' },
    handle: async ({ metrics }) => metrics(),
  },
  {
    method: 'GET',
    path: '/v1/status',
    id: 'getStatus',
    summary: 'The state of the agent',
    answer: { schema: 'AgentStatus' },
    handle: ({ agent }) => ({ body: agent.status() }),
  },
  {
    method: 'GET',
    path: '/v1/config',
    id: 'getConfig',
    summary: 'Effective settings and where they come from',
    answer: { schema: 'ConfigReport' },
    handle: ({ agent }) => ({ body: agent.settings?.report() ?? null }),
  },
  {
    method: 'GET',
    path: '/v1/tables',
    id: 'getTables',
    summary: 'Sizes and fill of the compiled tables and of all maps',
    answer: { schema: 'TableReport' },
    handle: async ({ agent }) => {
      await agent.loaded;
      return { body: agent.readings.tables() };
    },
  },
  {
    method: 'GET',
    path: '/v1/manifests',
    id: 'getManifests',
    summary: 'Everything in force as manifests, with where it is defined',
    answer: { schema: 'LiveManifests' },
    handle: async ({ agent }) => {
      await agent.loaded;
      return { body: agent.manifests() };
    },
  },
  {
    method: 'GET',
    path: '/v1/flows',
    id: 'getFlows',
    summary: 'Live flows by protocol and state',
    answer: { schema: 'FlowCounts' },
    handle: ({ agent }) => ({ body: agent.readings.flows() }),
  },
  {
    method: 'GET',
    path: '/v1/events',
    id: 'followEvents',
    summary: 'New flows and denials as they come, one JSON object a line; what a slow reader cannot take is left out',
    answer: { contentType: 'application/x-ndjson' },
    handle: followEvents,
  },
  {
    method: 'POST',
    path: '/v1/verdict',
    id: 'judge',
    summary: 'How a flow is judged by what is in force, with its trace; see docs/verdict.md for both formats',
    body: { contentTypes: ['application/json'], schema: 'Question' },
    answer: { schema: 'Verdict' },
    handle: judge,
  },
  {
    method: 'PUT',
    path: '/v1/endpoints/{namespace}/{name}',
    id: 'setInterface',
    summary: 'Put an endpoint behind an interface, whatever its manifest says; the log says who did, history does not',
    body: { contentTypes: ['application/json'], schema: 'InterfaceRequest' },
    answer: { schema: 'Nothing' },
    handle: setInterface,
  },
  {
    method: 'DELETE',
    path: '/v1/endpoints/{namespace}/{name}',
    id: 'unsetInterface',
    summary: 'Forget the interface that was given by hand; the log says who did, history does not',
    answer: { schema: 'Nothing' },
    handle: async ({ agent }, { params, actor }) => {
      await agent.unsetInterface(`${params.namespace}/${params.name}`, actor);
      return { body: {} };
    },
  },
];

function degraded({ health }: ApiContext['agent']): { degraded?: string[] } {
  const { conditions } = health;
  return conditions.length === 0 ? {} : { degraded: conditions.map(({ reason, message }) => `${reason}: ${message}`) };
}

async function setInterface({ agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  const { namespace, name } = request.params;
  const body = interfaceBody.safeParse(await readJson(request));
  if (!body.success) {
    const target = `${namespace}/${name}`;
    throw new DataplaneError('USAGE', z.prettifyError(body.error), { operation: 'set interface', target });
  }
  await agent.setInterface(`${namespace}/${name}`, body.data.interface, request.actor);
  return { body: {} };
}

async function judge({ agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  const { id, flow } = parseFlowQuestion(await readJson(request));
  await agent.loaded;
  return { body: formatAnswer(id, agent.readings.judge(flow)) };
}

function followEvents({ agent }: ApiContext, _request: ApiRequest, responder: Responder): undefined {
  const stream = responder.stream();
  const stop = agent.events.listen((record) => {
    if (!responder.response.writableNeedDrain) stream.writeLine(record);
  });
  stream.onEnd(stop);
}
