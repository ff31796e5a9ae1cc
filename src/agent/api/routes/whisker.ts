// What Whisker asks its backend for: flows as they come, put together over fifteen seconds, as server-sent events.
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { toWhiskerFlow, type WhiskerFilter, whiskerFilter, whiskerMatches } from '../../../observe/export/whisker.ts';
import { FlowAggregator } from '../../../observe/flows/aggregator.ts';
import type { FlowHub } from '../../../observe/flows/flow-hub.ts';
import type { FlowLog } from '../../../observe/flows/flow-log.ts';
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
      "Flows as Whisker's backend tells them, with watch=true: server-sent events; what a slow reader cannot take, or is of too many keys, is left out and counted",
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
  const stream = new WhiskerStream(response, agent.flows.hub, (flow) => whiskerMatches(flow, filter));
  begin(response);
  const stop = agent.flows.hub.listen((logs) => stream.take(logs));
  const look = setInterval(() => stream.tell(), LOOK_EVERY_MS);
  const comment = setInterval(() => stream.comment(), COMMENT_EVERY_MS);
  response.once('close', () => {
    stop();
    clearInterval(look);
    clearInterval(comment);
  });
}

type WhiskerFlow = ReturnType<typeof toWhiskerFlow>;

/** One reader. What it misses is counted, and a comment of the stream says how much that is so far. */
class WhiskerStream {
  readonly #response: ServerResponse;
  readonly #hub: Pick<FlowHub, 'leaveOut'>;
  readonly #holds: (flow: WhiskerFlow) => boolean;
  readonly #aggregator = new FlowAggregator();
  #slow = 0;
  #overflowed = 0;

  constructor(response: ServerResponse, hub: Pick<FlowHub, 'leaveOut'>, holds: (flow: WhiskerFlow) => boolean) {
    this.#response = response;
    this.#hub = hub;
    this.#holds = holds;
  }

  take(logs: readonly FlowLog[]): void {
    this.#aggregator.add(logs);
    const { records } = this.#aggregator.overflow;
    if (records > this.#overflowed) this.#hub.leaveOut('too-many-keys', records - this.#overflowed);
    this.#overflowed = records;
  }

  tell(): void {
    for (const log of this.#aggregator.take(Date.now())) {
      const flow = toWhiskerFlow(log);
      if (!this.#holds(flow)) continue;
      if (this.#response.writableNeedDrain) {
        this.#slow += 1;
        this.#hub.leaveOut('slow-reader', 1);
      } else this.#response.write(`data: ${JSON.stringify(flow)}\n\n`);
    }
  }

  comment(): void {
    if (this.#response.writableNeedDrain) return;
    const leftOut = this.#slow + this.#overflowed;
    this.#response.write(leftOut === 0 ? ':\n\n' : `: ${leftOut} flow logs left out\n\n`);
  }
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
