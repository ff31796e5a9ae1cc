// What an agent tells others, for as long as it runs: flow logs to exporters, lines about packets that met a Log rule.
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { Logger } from '../../base/log.ts';
import type { World } from '../../model/world.ts';
import type { FlowHub } from '../../observe/flows/flow-hub.ts';
import { addCaptureMetrics, type CaptureReading } from '../../observe/metrics/captures.ts';
import { addExportMetrics } from '../../observe/metrics/exports.ts';
import { addFlowLogMetrics, type KeptReading } from '../../observe/metrics/flow-logs.ts';
import type { EventHub } from '../event-hub.ts';
import { LoggedRules } from '../log-action/logged-rules.ts';
import { PacketLog, type PacketLogCounters, type PacketLogSettings } from '../log-action/packet-log.ts';
import { VERSION } from '../version.ts';
import { ExportService, type ExportServiceParts } from './export-service.ts';
import type { ExportCounters } from './exporter.ts';

export interface ExportOptions extends PacketLogSettings {
  /** URLs separated by blanks. */
  readonly exports: string;
}

/** What is asked of an agent. */
export interface Exporting {
  readonly events: Pick<EventHub, 'listenToChunks' | 'names'>;
  readonly flows: {
    readonly hub: Pick<FlowHub, 'listen' | 'lost' | 'leftOut' | 'published'>;
    readonly store: { status(): KeptReading };
    readonly captures: { tally(): CaptureReading };
  };
  readonly world: World;
  readonly generation: number;
  readonly options: { readonly node: string; readonly stateDirectory: string };
}

export interface ExportStatus {
  readonly exporters: readonly ExportCounters[];
  readonly packetLog: PacketLogCounters;
}

export class AgentExports {
  readonly #flows: ExportService;
  readonly #packets: PacketLog;
  readonly #ignore: () => void;

  /** Its metrics are put where the agent's others are. */
  constructor(agent: Exporting, metrics: Registry, log: Logger) {
    const { node, stateDirectory } = agent.options;
    const host = node === '*' ? hostname() : node;
    this.#flows = new ExportService({
      flows: agent.flows.hub,
      stateDirectory,
      host,
      version: VERSION,
      log,
      readMetrics: () => this.readMetrics(),
    });
    const { names } = agent.events;
    const rules = new LoggedRules({ world: () => agent.world, generation: () => agent.generation, names });
    this.#packets = new PacketLog({ rules, names, host, log });
    this.#ignore = agent.events.listenToChunks((chunk) => this.#packets.take(chunk));
    addExportMetrics(metrics, () => this.status());
    addFlowLogMetrics(metrics, agent.flows.hub, () => agent.flows.store.status());
    addCaptureMetrics(metrics, () => agent.flows.captures.tally());
  }

  /** Of the whole agent; set by whoever has them. */
  readMetrics: NonNullable<ExportServiceParts['readMetrics']> = async () => [];

  status(): ExportStatus {
    return { exporters: this.#flows.counters(), packetLog: this.#packets.counters() };
  }

  /** Throws INVALID_FIELD for what names no place to send to; the settings were checked before. */
  async reconfigure(options: ExportOptions): Promise<void> {
    await this.#packets.configure(options);
    await this.#flows.configure(options.exports);
  }

  /** Sends what waits, for a short while. */
  async close(): Promise<void> {
    this.#ignore();
    await Promise.all([this.#packets.close(), this.#flows.close()]);
  }
}
