// What `tortie status` shows: the shape that the agent's socket answers with.
import type { AttachMode } from '../kernel/attachment.ts';
import type { FlowHub } from '../observe/flows/flow-hub.ts';
import type { ImageCounts } from '../tables/image.ts';
import type { BlockStatus } from './block/block-service.ts';
import type { AgentSettings } from './config/agent-settings.ts';
import type { ConfigStatus } from './config/report.ts';
import type { EndpointStatus, ManualInterfaces } from './endpoint-binder.ts';
import type { ExportStatus } from './export/agent-exports.ts';
import type { AgentFlows } from './flows/agent-flows.ts';
import type { FlowLogStatus } from './flows/flow-log-service.ts';
import type { FlowStoreStatus } from './flows/flow-store-service.ts';
import type { HealthStatus } from './health.ts';
import type { HostEndpointStatus } from './host-endpoint-status.ts';
import type { ManifestFeed, ManifestStatus } from './manifest-feed.ts';
import type { StoreSession, StoreStatus } from './store/session.ts';

/** What becomes of flows: counted, kept, told to others. No verdict depends on it. */
export interface FlowsStatus {
  /** isWanted = the settings say so; what is wanted and not on could not be had, which the log says. */
  readonly flowLogs: FlowLogStatus & { readonly isWanted: boolean };
  readonly flowStore: FlowStoreStatus;
  /** Flow logs that did not go to somebody who follows them, by reason. */
  readonly flowStreams: { readonly leftOut: FlowHub['leftOut'] };
  /** null = the agent has nobody to tell. */
  readonly exports: ExportStatus | null;
}

export interface AgentStatus extends HealthStatus, FlowsStatus {
  readonly version: string;
  readonly node: string;
  /** All accepted manifests are in force, and all that is stored. */
  readonly inSync: boolean;
  /** What is in force was taken over; objects, tables and names of rules are still being loaded, and changes wait for that. */
  readonly loading: boolean;
  /** Why the last change is not in force; the one before is. */
  readonly error: Readonly<Record<string, unknown>> | null;
  /** Settings that are not as their sources say; null = the agent has none that change. */
  readonly config: ConfigStatus | null;
  /** Resources that came over the API; null while they are not loaded. */
  readonly store: StoreStatus | null;
  readonly generation: number;
  readonly attachMode: AttachMode;
  readonly manifests: ManifestStatus;
  readonly endpoints: readonly EndpointStatus[];
  readonly hostEndpoints: readonly HostEndpointStatus[];
  readonly tables: ImageCounts | null;
  readonly flows: number;
  readonly block: BlockStatus;
  readonly counters: Readonly<Record<string, { readonly packets: number; readonly bytes: number }>>;
}

/** While manifests are loaded their number is what was taken over. What is given by hand is refused beside them. */
export function describeManifests(
  feed: Pick<ManifestFeed, 'status'>,
  resumption: { readonly objects: number } | undefined,
  { error }: Pick<ManualInterfaces, 'error'>,
  stored: Pick<StoreSession, 'errors'>,
): ManifestStatus {
  const { objects, errors, ...others } = feed.status(stored.errors);
  const refused = error === undefined ? [] : [{ code: error.code, message: error.message }];
  return { ...others, objects: resumption?.objects ?? objects, errors: [...errors, ...refused] };
}

/** As of now. */
export function describeFlows({ hub, logs, store }: AgentFlows, settings: AgentSettings | undefined): FlowsStatus {
  const flowLogs = logs.status();
  const { isWanted, exports } = settings?.telling() ?? { isWanted: flowLogs.isOn, exports: null };
  return {
    flowLogs: { ...flowLogs, isWanted },
    flowStore: store.status(),
    flowStreams: { leftOut: hub.leftOut },
    exports,
  };
}
