// GET /v1/status, part by part.
import { z } from 'zod';
import { REPAIR_CAUSES, type RepairCause } from '../../../kernel/repair.ts';
import type { ImageCounts } from '../../../tables/image.ts';
import type { BlockStatus } from '../../block/block-service.ts';
import type { ConfigStatus } from '../../config/report.ts';
import type { EndpointStatus } from '../../endpoint-binder.ts';
import type { ExportStatus } from '../../export/agent-exports.ts';
import type { ExportCounters } from '../../export/exporter.ts';
import type { FlowLogStatus } from '../../flows/flow-log-service.ts';
import type { FlowStoreStatus } from '../../flows/flow-store-service.ts';
import type { HealthStatus } from '../../health.ts';
import type { HostEndpointStatus } from '../../host-endpoint-status.ts';
import type { ManifestStatus } from '../../manifest-feed.ts';
import type { AgentStatus } from '../../status.ts';
import type { StoreStatus } from '../../store/session.ts';
import { answerOf, codedErrors, count, listOf, text, time } from './answer.ts';

const STATES = ['ready', 'waiting', 'error'] as const;
const counter = z.object({ packets: count, bytes: count });
const causes = Object.keys(REPAIR_CAUSES) as RepairCause[];

const health = {
  repairs: count,
  repairsByCause: z.partialRecord(z.enum(causes), count),
  conditions: listOf(
    z.object({
      type: z.literal('Degraded'),
      reason: z.enum([
        'AuditFailed',
        'ClockJumped',
        'DescriptorsLow',
        'DiskFull',
        'FlowsNotKept',
        'HostEndpointsNotEnforced',
        'InterfaceNotGuarded',
        'MemoryLow',
        'StoredNotInForce',
        'UndoFailed',
      ]),
      message: text,
      since: time,
    }),
  ),
};
answerOf<HealthStatus>()(z.object(health));

const config = answerOf<ConfigStatus>()(z.object({ errors: codedErrors, pending: listOf(text) }));

const store = answerOf<StoreStatus>()(
  z.object({
    revision: count,
    objects: count,
    pending: z.object({ revision: count, expires: time, expiresMonotonicMs: z.number(), bootId: text }).nullable(),
    undoError: text.nullable(),
  }),
);

const manifests = answerOf<ManifestStatus>()(z.object({ directory: text, objects: count, errors: codedErrors }));

const endpoint = answerOf<EndpointStatus>()(
  z.object({ endpoint: text, interface: text, state: z.enum(STATES), reason: text }),
);

const hostEndpoint = answerOf<HostEndpointStatus>()(
  z.object({
    hostEndpoint: text,
    interfaces: listOf(text),
    addresses: listOf(text),
    state: z.enum(STATES),
    reason: text,
  }),
);

export const imageCounts: z.ZodType<ImageCounts> = answerOf<ImageCounts>()(
  z.object({
    endpoints: count,
    policyLists: count,
    rules: count,
    prefixes: count,
    addressClasses: count,
    l4Classes: count,
    sourcePortClasses: count,
  }),
);

/** Of GET /block as well. */
export const blockStatus = z.object({
  entries: count,
  feeds: count,
  prefixes: count,
  interfaces: listOf(
    z.object({
      interface: text,
      state: z.enum(['guarded', 'error']),
      mode: z.enum(['native', 'generic']).nullable(),
      reason: text,
    }),
  ),
  error: text.nullable(),
  drops: z.object({ source: counter, hole: counter }),
  tableBytes: count,
  syn: z.object({
    protection: text,
    sourceRate: z.number(),
    listenerRate: z.number(),
    interfaces: listOf(text),
    lack: text.nullable(),
    limited: counter,
    answered: counter,
  }),
});
answerOf<BlockStatus>()(blockStatus);

const flowLogs = z.object({
  isOn: z.boolean(),
  intervalSeconds: z.number(),
  records: count,
  packets: count,
  lost: z.object({
    eventsLost: count,
    packetsLost: count,
    bytesLost: count,
    eventsSuppressed: count,
    bytesSuppressed: count,
    recordsSampledOut: count,
    deniedSampledOut: count,
    packetsSampledOut: count,
    bytesSampledOut: count,
  }),
  isSampling: z.boolean(),
});
answerOf<FlowLogStatus>()(flowLogs);

/** GET /flows/store. */
export const flowStore = answerOf<FlowStoreStatus>()(
  z.object({
    mode: z.enum(['off', 'aggregated', 'all']),
    handedOver: count,
    lost: count,
    notWritten: count,
    overflowed: count,
    waiting: count,
    store: z
      .object({
        files: count,
        bytes: count,
        records: count,
        oldest: z.number().nullable(),
        newest: z.number().nullable(),
        lastSequence: count,
        lost: count,
        expired: count,
        givenUp: count,
        movedAside: count,
      })
      .nullable(),
    error: text.nullable(),
  }),
);

const exportCounters = answerOf<ExportCounters>()(
  z.object({
    exporter: text,
    kind: text,
    emitted: count,
    delivered: count,
    dropped: count,
    droppedBy: z.object({
      'queue-full': count,
      'spool-full': count,
      'spool-broken': count,
      refused: count,
      'not-expressible': count,
      'too-many-keys': count,
      stopped: count,
    }),
    waiting: count,
    waitingBytes: count,
    spooledBytes: count,
    failures: count,
    error: text.optional(),
  }),
);

const exports = answerOf<ExportStatus>()(
  z.object({
    exporters: listOf(exportCounters),
    packetLog: z.object({ lines: count, suppressed: count, exporters: listOf(exportCounters) }),
  }),
);

export const agentStatus = answerOf<AgentStatus>()(
  z.object({
    ...health,
    version: text,
    node: text,
    inSync: z.boolean(),
    loading: z.boolean(),
    error: z.record(text, z.unknown()).nullable(),
    config: config.nullable(),
    store: store.nullable(),
    generation: count,
    attachMode: z.enum(['tcx', 'clsact']),
    manifests,
    endpoints: listOf(endpoint),
    hostEndpoints: listOf(hostEndpoint),
    tables: imageCounts.nullable(),
    flows: count,
    flowLogs: z.object({ ...flowLogs.shape, isWanted: z.boolean() }),
    flowStore,
    flowStreams: z.object({ leftOut: z.object({ 'slow-reader': count, 'too-many-keys': count }) }),
    exports: exports.nullable(),
    block: blockStatus,
    counters: z.record(text, counter),
  }),
);
