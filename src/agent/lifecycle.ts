// One life of the agent as a service: settings, start, ready when in sync, reload, stop; and what systemd is told of each.
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '../base/log.ts';
import type { PlainMetric } from '../observe/export/otlp-metrics.ts';
import { Agent } from './agent.ts';
import { AgentApi } from './api.ts';
import { toAgentOptions, valuesOf } from './config/agent-options.ts';
import { apiListenerOf } from './config/api-listener.ts';
import { ConfigWatch } from './config/config-watch.ts';
import { type ConfigSources, Configuration } from './config/configuration.ts';
import { scanFelixConfigurations } from './config/felix-scan.ts';
import type { ResolvedSettings } from './config/layer.ts';
import { LiveConfiguration } from './config/live-configuration.ts';
import { splitAddress } from './config/value-type.ts';
import { AgentExports } from './export/agent-exports.ts';
import { MetricsListener } from './metrics/metrics-listener.ts';
import { Notifier } from './notify.ts';
import { RemoteListener } from './remote-listener.ts';

const POLL_MS = 50;
const STATUS_EVERY_MS = 1000;
/** While manifests are being loaded the start may take so much longer each time it is looked at. */
const START_EXTENSION_MS = 30_000;

/** What an agent would get from the sources, with the FelixConfigurations of its manifests. Throws what Configuration.read does. */
export function readConfiguration(sources: ConfigSources): Configuration {
  return Configuration.read(sources, felixOf);
}

function felixOf(settings: ResolvedSettings): ReturnType<typeof scanFelixConfigurations> {
  const { manifests, limits } = toAgentOptions(settings);
  return scanFelixConfigurations(manifests, limits.manifests);
}

/** Runs until SIGTERM or SIGINT; enforcement stays. Throws what Configuration.read and Agent.start do. */
export async function runAgent(sources: ConfigSources, write: (line: string) => void): Promise<void> {
  const signals = new Signals();
  const log = new Logger({ level: 'info', write });
  const configuration = readConfiguration(sources);
  const settings = new LiveConfiguration(configuration, log);
  const notifier = Notifier.fromEnvironment(sources.environment, log);
  notifier.startWatchdog();
  notifier.status('starting');
  try {
    const agent = await Agent.start(toAgentOptions(configuration.settings), log, settings);
    const exports = new AgentExports(agent, agent.meter.instruments.registry, log);
    const api = new AgentApi(agent, log);
    exports.readMetrics = async () => (await api.metricsAsJson()) as unknown as readonly PlainMetric[];
    let remote: RemoteListener | undefined;
    let metrics: MetricsListener | undefined;
    let service: Service | undefined;
    try {
      await api.listen();
      const tls = apiListenerOf(configuration.settings);
      remote = tls === undefined ? undefined : new RemoteListener(api, tls, log);
      await remote?.open();
      const place = splitAddress(valuesOf(configuration.settings).metricsAddress);
      metrics = place && new MetricsListener(api.metrics, place, log);
      await metrics?.open();
      service = new Service({ agent, exports, settings, remote, notifier, log });
      await service.start(signals, sources.file.path);
      const signal = await signals.stopped;
      log.info('stopping, enforcement stays in place', { signal });
    } finally {
      // Also after a start that failed halfway: an open listener would keep a process that enforces nothing.
      service?.stop();
      await metrics?.close();
      await remote?.close();
      await api.close();
      // What was counted to the last is told before those who pass it on end.
      await agent.flows.logs.stop();
      await exports.close();
      await agent.stop();
    }
  } finally {
    notifier.close();
  }
}

/** Listened to from the first moment: a reload that comes during the start must not end the process. */
class Signals {
  readonly stopped: Promise<string>;
  #isStopped = false;
  #onReload: (() => void) | undefined;
  #isReloadDue = false;

  constructor() {
    this.stopped = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.once(signal, () => {
          this.#isStopped = true;
          resolve(signal);
        });
      }
    });
    process.on('SIGHUP', () => {
      this.#isReloadDue = this.#onReload === undefined;
      this.#onReload?.();
    });
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Calls back for every SIGHUP, also for one that came before. */
  onReload(callback: () => void): void {
    this.#onReload = callback;
    if (this.#isReloadDue) callback();
  }
}

interface ServiceParts {
  readonly agent: Agent;
  readonly exports: AgentExports;
  readonly settings: LiveConfiguration;
  /** undefined = not asked for. */
  readonly remote: RemoteListener | undefined;
  readonly notifier: Notifier;
  readonly log: Logger;
}

class Service {
  readonly #agent: Agent;
  readonly #exports: AgentExports;
  readonly #settings: LiveConfiguration;
  readonly #remote: RemoteListener | undefined;
  readonly #notifier: Notifier;
  readonly #log: Logger;
  #watch: ConfigWatch | undefined;
  #statusTimer: NodeJS.Timeout | undefined;
  /** Reloads come one after the other. */
  #reloaded: Promise<void> = Promise.resolve();

  constructor({ agent, exports, settings, remote, notifier, log }: ServiceParts) {
    this.#agent = agent;
    this.#exports = exports;
    this.#settings = settings;
    this.#remote = remote;
    this.#notifier = notifier;
    this.#log = log;
  }

  /** Resolves when all that could be read of what was accepted is in force, or the agent was told to stop. */
  async start(signals: Signals, file: string): Promise<void> {
    await this.#settings.attach(this.#agent, this.#exports);
    this.#watch = new ConfigWatch(file, () => this.#reload('the file has changed'));
    signals.onReload(() => this.#reload('SIGHUP'));
    this.#log.info('listening', { socket: this.#agent.options.socket });
    while (!this.#agent.isEnforcing && !signals.isStopped) {
      if (this.#agent.isLoading) this.#notifier.extendStart(START_EXTENSION_MS);
      this.#notifier.status(this.#describe());
      await Promise.race([sleep(POLL_MS), signals.stopped]);
    }
    if (signals.isStopped) return;
    this.#notifier.ready(this.#describe());
    this.#log.info('ready', { socket: this.#agent.options.socket });
    this.#statusTimer = setInterval(() => this.#notifier.status(this.#describe()), STATUS_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#statusTimer);
    this.#watch?.close();
    this.#notifier.stopping('stopping, enforcement stays in place');
  }

  #reload(reason: string): void {
    this.#reloaded = this.#reloaded.then(async () => {
      this.#notifier.reloading();
      try {
        await this.#settings.reload(reason);
        await this.#remote?.renew();
      } catch (error) {
        this.#log.error('reload ended early', { error: String(error) });
      }
      this.#notifier.ready(this.#describe());
    });
  }

  /** The line that `systemctl status` shows. */
  #describe(): string {
    const { isInSync, endpoints, generation } = this.#agent;
    const { errors, pending } = this.#settings.status();
    const parts = [
      isInSync ? 'in sync' : 'NOT in sync: see tortie status',
      `${endpoints.length} endpoints`,
      `generation ${generation}`,
      ...(errors.length > 0 ? ['configuration file not used: see tortie config'] : []),
      ...(this.#remote?.isOpen === false ? ['not listening to other machines: see the log'] : []),
      ...(pending.length > 0 ? [`restart for ${pending.join(', ')}`] : []),
    ];
    return parts.join(', ');
  }
}
