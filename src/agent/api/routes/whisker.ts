// What Whisker asks its backend for: flows as they come, put together over fifteen seconds, as server-sent events.
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { toWhiskerFlow, type WhiskerFilter, whiskerFilter, whiskerMatches } from '../../../observe/export/whisker.ts';
import { FlowAggregator } from '../../../observe/flows/aggregator.ts';
import { invalidRequest } from '../failure.ts';
import type { ApiContext, ApiRequest, Responder, Route } from '../route.ts';

const LOOK_EVERY_MS = 1000;
/** So that nobody on the way takes the connection for dead. */
const COMMENT_EVERY_MS = 15_000;
const MAX_FILTERS_LENGTH = 64 * 1024;

export const WHISKER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/whisker-backend/flows',
    id: 'followWhiskerFlows',
    summary:
      "Flows as Whisker's backend tells them, with watch=true: server-sent events; what a slow reader cannot take is left out",
    query: ['watch', 'filters'],
    answer: { contentType: 'text/event-stream' },
    handle: followWhiskerFlows,
  },
];

function followWhiskerFlows({ agent }: ApiContext, { query }: ApiRequest, { response }: Responder): undefined {
  if (query.get('watch') !== 'true') {
    throw invalidRequest('watch', 'flows are only told as they come', {
      found: query.get('watch') ?? 'nothing',
      expected: 'true',
    });
  }
  const filter = filterOf(query.get('filters') ?? '{}');
  const aggregator = new FlowAggregator();
  begin(response);
  const stop = agent.flows.hub.listen((logs) => aggregator.add(logs));
  const look = setInterval(() => {
    for (const log of aggregator.take(Date.now())) {
      const flow = toWhiskerFlow(log);
      if (!response.writableNeedDrain && whiskerMatches(flow, filter))
        response.write(`data: ${JSON.stringify(flow)}\n\n`);
    }
  }, LOOK_EVERY_MS);
  const comment = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, COMMENT_EVERY_MS);
  response.once('close', () => {
    stop();
    clearInterval(look);
    clearInterval(comment);
  });
}

function begin(response: ServerResponse): void {
  // It may well be silent for long.
  response.socket?.setTimeout(0);
  response.setHeader('content-type', 'text/event-stream');
  response.setHeader('cache-control', 'no-cache');
  response.flushHeaders();
}

function filterOf(text: string): WhiskerFilter {
  const target = 'filters';
  if (text.length > MAX_FILTERS_LENGTH)
    throw invalidRequest(target, 'is too long', { expected: `${MAX_FILTERS_LENGTH} characters` });
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw invalidRequest(target, 'is no JSON', { found: String(error), expected: 'one object' });
  }
  const { data, error } = whiskerFilter.safeParse(written);
  if (data !== undefined) return data;
  throw invalidRequest(target, 'is no filter of flows', { found: z.prettifyError(error) });
}
