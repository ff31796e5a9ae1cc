// Schemas of what routes answer that is no resource, by the names that routes give. openapi.ts makes them part of its document.
import { z } from 'zod';
import type { BlockReport } from '../../block/block-service.ts';
import { SOURCES } from '../../config/layer.ts';
import type { ConfigReport, SettingReport } from '../../config/report.ts';
import type { FlowCount } from '../../kernel-readings.ts';
import type { LiveManifests } from '../../live-manifests.ts';
import type { Who } from '../../store/actor.ts';
import type { TableReport } from '../../table-report.ts';
import { answerOf, codedErrors, count, listOf, text, time } from './answer.ts';
import { agentStatus, blockStatus, flowStore, imageCounts } from './status.ts';

const sourced = {
  value: z.union([text, z.number()]),
  source: z.enum(SOURCES),
  origin: text,
};

const setting = answerOf<SettingReport>()(
  z.object({
    ...sourced,
    name: text,
    unit: text.optional(),
    change: z.enum(['live', 'restart', 'cleanup']),
    hidden: listOf(z.object(sourced)),
    pending: z.object(sourced).optional(),
  }),
);

const configReport = answerOf<ConfigReport>()(
  z.object({
    file: text,
    isFileUsed: z.boolean(),
    errors: codedErrors,
    settings: listOf(setting),
    ignored: listOf(z.object({ origin: text, reason: text, leftUndone: text.optional() })),
  }),
);

const tableReport = answerOf<TableReport>()(
  z.object({
    counts: imageCounts,
    arrays: listOf(z.object({ name: text, usedBytes: count, capacityBytes: count, regions: count })),
    bytesPer: z.object({ rule: z.number(), endpoint: z.number(), addressClass: z.number() }),
    traceIds: count,
    lastChange: z.object({ regions: count, bytes: count }),
    kernel: z
      .object({
        maps: listOf(z.object({ name: text, entries: count, bytes: count })),
        totalBytes: count,
        flows: count,
        bytesPerFlow: z.number(),
      })
      .optional(),
  }),
);

const liveManifests = answerOf<LiveManifests>()(
  z.object({
    objects: listOf(z.object({ file: text, line: count, manifest: z.record(text, z.unknown()) })),
  }),
);

const flowCounts = answerOf<readonly FlowCount[]>()(listOf(z.object({ protocol: text, state: text, flows: count })));

const said = { verdict: z.enum(['allow', 'deny']), trace: listOf(text) };
const side = z.object({ endpoint: text, ...said, pending: z.object(said).optional() });
/** Of model/flow-question.ts. */
const verdict = z.object({
  id: z.unknown(),
  verdict: z.enum(['allow', 'deny']),
  egress: side.nullable(),
  ingress: side.nullable(),
});

const portOrType = (most: number) => z.int().min(0).max(most).optional();
/** Of model/flow-question.ts, which says more exactly what is wrong with one. */
const question = z.object({
  id: z.unknown().optional(),
  src: text,
  dst: text,
  protocol: z.union([text, z.int().min(0).max(255)]),
  srcPort: portOrType(65_535),
  dstPort: portOrType(65_535),
  icmpType: portOrType(255),
  icmpCode: portOrType(255),
});

const who = answerOf<Who>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('local'), uid: count, gid: count, pid: count }),
    z.object({ kind: z.literal('certificate'), commonName: text, organization: text.optional() }),
    z.object({ kind: z.literal('file'), uid: count.optional() }),
    z.object({ kind: z.literal('agent') }),
  ]),
);

const origin = { who, added: time, until: time.nullable(), reason: text.nullable() };
const blockReport = answerOf<BlockReport>()(
  z.object({
    ...blockStatus.shape,
    list: listOf(z.object({ ...origin, cidr: text })),
    feedList: listOf(z.object({ ...origin, name: text, prefixes: count, badLines: count })),
  }),
);

export const ANSWERS = {
  AgentStatus: agentStatus,
  BlockReport: blockReport,
  ConfigReport: configReport.nullable(),
  FlowCounts: flowCounts,
  FlowStoreStatus: flowStore,
  LiveManifests: liveManifests,
  Nothing: z.object({}),
  ProbesNoted: z.object({ noted: count }),
  Question: question,
  TableReport: tableReport.nullable(),
  Verdict: verdict,
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** As JSON schemas. Fields that they do not name may come: of a later agent. */
export function answerSchemas(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(ANSWERS).map(([name, schema]) => [name, jsonSchemaOf(schema)]));
}

function jsonSchemaOf(schema: z.ZodType): unknown {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    // Every integer has it, as it is the greatest that a double has.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return rest;
}
