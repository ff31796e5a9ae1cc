// What `tortie probe` measured, for the agent's metrics.
import { z } from 'zod';
import { PROBE_RESULTS } from '../../../observe/probe/report.ts';
import { readJson } from '../body.ts';
import { invalidRequest } from '../failure.ts';
import type { ApiContext, ApiRequest, Reply, Route } from '../route.ts';

const MAX_SAMPLES = 10_000;
const MAX_MS = 3_600_000;

const body = z.strictObject({
  samples: z
    .array(
      z.strictObject({
        protocol: z.enum(['TCP', 'UDP']),
        result: z.enum(PROBE_RESULTS),
        ms: z.number().min(0).max(MAX_MS).optional(),
      }),
    )
    .max(MAX_SAMPLES),
});

export const PROBE_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/probes',
    id: 'reportProbes',
    summary: 'Count what a probe measured in the metrics',
    body: { contentTypes: ['application/json'], schema: 'ProbeReport' },
    answer: { schema: 'ProbesNoted' },
    handle: reportProbes,
  },
];

async function reportProbes({ agent }: ApiContext, request: ApiRequest): Promise<Reply> {
  const parsed = body.safeParse(await readJson(request));
  if (!parsed.success) throw invalidRequest('body', z.prettifyError(parsed.error));
  agent.meter.instruments.probes.note(parsed.data.samples);
  return { body: { noted: parsed.data.samples.length } };
}
