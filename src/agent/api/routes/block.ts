// The block list: entries, feeds, what comes of an address. What they mean is agent/block's.
import { z } from 'zod';
import type { BlockTerms } from '../../block/block-service.ts';
import { readJson } from '../body.ts';
import { invalidRequest } from '../failure.ts';
import type { ApiContext, ApiRequest, Reply, Route } from '../route.ts';

const MAX_CIDRS = 10_000;
const PLAIN = 'text/plain';
const cidrs = z.array(z.string().max(100)).min(1).max(MAX_CIDRS);
const addBody = z.strictObject({
  cidrs,
  ttl: z.string().optional(),
  reason: z.string().optional(),
  session: z.string().max(200).optional(),
  force: z.boolean().optional(),
});
const removeBody = z.strictObject({ cidrs });

export const BLOCK_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/block',
    id: 'getBlockList',
    summary: 'Blocked sources: entries, feeds, where they are dropped, how many packets were',
    answer: { schema: 'BlockReport' },
    handle: ({ agent }) => ({ body: agent.blocks.report() }),
  },
  {
    method: 'POST',
    path: '/block/add',
    id: 'block',
    summary: 'Drop packets from these addresses and prefixes before the kernel sees them; in force when it is answered',
    body: { contentTypes: ['application/json'], schema: 'BlockRequest' },
    answer: { schema: 'BlockOutcome' },
    handle: add,
  },
  {
    method: 'POST',
    path: '/block/remove',
    id: 'unblock',
    summary: 'Take entries out of the list, all of them or none',
    body: { contentTypes: ['application/json'], schema: 'UnblockRequest' },
    answer: { schema: 'BlockOutcome' },
    handle: async ({ agent }, request) => {
      const body = removeBody.safeParse(await readJson(request));
      if (!body.success) throw invalidRequest('body', z.prettifyError(body.error));
      return { body: await agent.blocks.remove(body.data.cidrs) };
    },
  },
  {
    method: 'POST',
    path: '/block/file',
    id: 'blockFile',
    summary: 'The same for a list of one address or prefix a line; bad lines are answered, the rest counts',
    query: ['ttl', 'reason', 'session', 'force'],
    body: { contentTypes: [PLAIN], schema: 'PrefixLines' },
    answer: { schema: 'BlockOutcome' },
    handle: async ({ agent }, request) => ({
      body: await agent.blocks.addFile(request.chunks(), termsOf(request), request.actor),
    }),
  },
  {
    method: 'PUT',
    path: '/block/feeds/{name}',
    id: 'putFeed',
    summary: 'Put a list of many prefixes in the place of the one of that name, at once',
    query: ['ttl', 'reason', 'session', 'force'],
    body: { contentTypes: [PLAIN], schema: 'PrefixLines' },
    answer: { schema: 'BlockOutcome' },
    handle: async ({ agent }, request) => ({
      body: await agent.blocks.putFeed(request.params.name ?? '', request.chunks(), termsOf(request), request.actor),
    }),
  },
  {
    method: 'DELETE',
    path: '/block/feeds/{name}',
    id: 'removeFeed',
    summary: 'Take a feed away',
    answer: { schema: 'BlockOutcome' },
    handle: async ({ agent }, { params }) => ({ body: await agent.blocks.removeFeed(params.name ?? '') }),
  },
  {
    method: 'GET',
    path: '/block/test',
    id: 'testBlock',
    summary: 'Whether packets from an address are dropped, and which entries and feeds say so',
    query: ['address'],
    answer: { schema: 'BlockTest' },
    handle: ({ agent }, { query }) => ({ body: agent.blocks.test(query.get('address') ?? '') }),
  },
];

async function add({ agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  const askedAtMs = performance.now();
  const body = addBody.safeParse(await readJson(request));
  if (!body.success) throw invalidRequest('body', z.prettifyError(body.error));
  const { cidrs: wanted, force, ...terms } = body.data;
  return { body: await agent.blocks.add(wanted, { ...terms, isForced: force, askedAtMs }, request.actor) };
}

function termsOf({ query }: ApiRequest): BlockTerms {
  const force = query.get('force');
  if (force !== null && force !== 'true' && force !== 'false') {
    throw invalidRequest('query', 'is neither true nor false', { field: 'force', found: force });
  }
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  return { ttl: text('ttl'), reason: text('reason'), session: text('session'), isForced: force === 'true' };
}
