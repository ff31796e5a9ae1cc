// Why flows are judged as they are, with the change that brought each rule; and what a change of the store meant for traffic.
import { z } from 'zod';
import { whyOf } from '../../../analysis/why/why.ts';
import { parseFlowQuestion } from '../../../model/flow-question.ts';
import { isLocalNode } from '../../options.ts';
import { changesOf } from '../../store/introduced.ts';
import { readJson } from '../body.ts';
import { invalidRequest } from '../failure.ts';
import type { ApiContext, ApiRequest, Reply, Route } from '../route.ts';

const MAX_TRACE = 256;
const trace = z.array(z.string().max(4096)).max(MAX_TRACE);
const verdict = z.enum(['allow', 'deny']);
const whyBody = z.strictObject({
  flow: z.record(z.string(), z.unknown()),
  past: z
    .strictObject({
      time: z.number().int().min(0).optional(),
      verdict,
      direction: z.enum(['ingress', 'egress']).optional(),
      enforced: trace,
      pending: trace,
      reason: z.string().max(256).optional(),
    })
    .optional(),
});

export const WHY_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/why',
    id: 'why',
    summary:
      'Why a flow is judged as it is: tier, policy, rule, place, the change that brought it, what staged policies say, what would turn it',
    body: { contentTypes: ['application/json'], schema: 'WhyRequest' },
    answer: { schema: 'Why' },
    handle: why,
  },
];

async function why({ agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  const body = whyBody.safeParse(await readJson(request));
  if (!body.success) throw invalidRequest('why', z.prettifyError(body.error));
  const { flow } = parseFlowQuestion(body.data.flow);
  await agent.loaded;
  const { world } = agent;
  const { store } = agent.stored;
  const changes = changesOf({
    entriesOf: (id) => store.entriesOf(id),
    get: (id) => store.get(id),
    isOfFile: (id) => agent.fileOf(id) !== undefined,
  });
  const { hostEndpoints } = agent.status();
  const found = new Map(hostEndpoints.map(({ hostEndpoint, addresses }) => [hostEndpoint, addresses]));
  const host = { isLocal: isLocalNode(agent.meter.node), found };
  return {
    body: {
      kind: 'Why',
      apiVersion: 'tortie.io/v1',
      ...whyOf({ world, flow, verdict: agent.readings.judge(flow), changes, past: body.data.past, host }),
    },
  };
}
