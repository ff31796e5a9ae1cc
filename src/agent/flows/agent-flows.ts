// All that an agent does with flows: counts them, hands them out, keeps them.
import { hostname } from 'node:os';
import type { DesiredState } from '../../calc/resolved.ts';
import type { Dataplane } from '../../kernel/dataplane.ts';
import { FlowHub } from '../../observe/flows/flow-hub.ts';
import { CaptureService } from '../capture/capture-service.ts';
import { PacketCaptures } from '../capture/packet-captures.ts';
import type { EventHub } from '../event-hub.ts';
import type { ManifestFeed } from '../manifest-feed.ts';
import { type AgentOptions, isLocalNode } from '../options.ts';
import type { Wires } from '../wires.ts';
import { type FlowLogParts, FlowLogService } from './flow-log-service.ts';
import { AgentFlowNames } from './flow-names.ts';
import { FlowStoreService } from './flow-store-service.ts';

export interface AgentFlows {
  readonly hub: FlowHub;
  readonly logs: FlowLogService;
  readonly store: FlowStoreService;
  readonly captures: CaptureService;
  readonly packetCaptures: PacketCaptures;
}

export interface FlowSources extends Pick<FlowLogParts, 'log'> {
  readonly dataplane: Dataplane;
  readonly options: AgentOptions;
  readonly wires: Pick<Wires, 'hostInterfaces'>;
}

function nodeName({ node }: AgentOptions): string {
  return node === '*' ? hostname() : node;
}

/** Once policy is in force. */
export function startFlows({ logs, packetCaptures }: AgentFlows): void {
  logs.start();
  packetCaptures.start();
}

/** What was counted to the last is told before those who keep it stop. */
export async function stopFlows({ logs, store, captures, packetCaptures }: AgentFlows): Promise<void> {
  packetCaptures.close();
  captures.close();
  await logs.stop();
  await store.stop();
}

/** Nothing is read before the start of `logs`. */
export function flowsOf(
  { dataplane, options, log, wires }: FlowSources,
  events: EventHub,
  feed: ManifestFeed,
  desired: () => DesiredState,
): AgentFlows {
  const hub = new FlowHub(log);
  const names = new AgentFlowNames({
    world: () => feed.world,
    desired,
    resources: () => feed.resources(),
    serviceChanges: () => feed.serviceChanges,
    compiler: dataplane.compiler,
    isLocal: isLocalNode(options.node),
    interfaces: () => wires.hostInterfaces,
  });
  const logs = new FlowLogService({ dataplane, hub, names, node: nodeName(options), log, options });
  events.listenToChunks((chunk) => logs.take(chunk));
  const { stateDirectory } = options;
  const store = new FlowStoreService({ hub, stateDirectory, log, options });
  const world = () => feed.world;
  const captures = new CaptureService({
    captures: dataplane.captures,
    names: events.names,
    desired,
    world,
    interfaces: () => wires.hostInterfaces,
    log,
  });
  const packetCaptures = new PacketCaptures({
    service: captures,
    resources: () => feed.resources(),
    stateDirectory,
    node: nodeName(options),
    log,
  });
  feed.watchCaptures(() => packetCaptures.refresh());
  return { hub, logs, store, captures, packetCaptures };
}
