// Carries changed settings into what runs: the log and the agent. What they are and where they come from: configuration.ts.
import type { Logger } from '../../base/log.ts';
import type { Agent } from '../agent.ts';
import type { AgentExports } from '../export/agent-exports.ts';
import { toExportOptions, toLiveOptions, valuesOf } from './agent-options.ts';
import type { AgentSettings } from './agent-settings.ts';
import type { Configuration } from './configuration.ts';
import type { FelixConfiguration } from './felix.ts';
import { type ConfigReport, type ConfigStatus, showValue } from './report.ts';

type Reconfigurable = Pick<Agent, 'reconfigure'>;
type ReconfigurableExports = Pick<AgentExports, 'reconfigure' | 'status'>;

export class LiveConfiguration implements AgentSettings {
  readonly #configuration: Configuration;
  readonly #log: Logger;
  #agent: Reconfigurable | undefined;
  #exports: ReconfigurableExports | undefined;
  #told = '';
  /** Fields without effect that were warned of. */
  #warned: ReadonlySet<string> = new Set();

  constructor(configuration: Configuration, log: Logger) {
    this.#configuration = configuration;
    this.#log = log;
    log.setLevel(valuesOf(configuration.settings).logLevel);
    this.#logProblems();
    this.#logUndone();
  }

  /** Settings of a running agent: from here on changes reach it. */
  async attach(agent: Reconfigurable, exports?: ReconfigurableExports): Promise<void> {
    this.#agent = agent;
    this.#exports = exports;
    this.#configuration.remember(this.#log);
    await this.#pass();
  }

  /** Reads the file again. Resolves when what may change has changed. */
  async reload(reason: string): Promise<void> {
    const changed = this.#configuration.reload();
    this.#configuration.remember(this.#log);
    await this.#carry(changed, reason);
  }

  felixChanged(objects: readonly FelixConfiguration[]): void {
    void this.#carry(this.#configuration.setFelix(objects), 'FelixConfiguration');
  }

  status(): ConfigStatus {
    const { errors, pending } = this.#configuration;
    return { errors: errors.map(({ code, message }) => ({ code, message })), pending };
  }

  telling(): ReturnType<AgentSettings['telling']> {
    const isWanted = valuesOf(this.#configuration.settings).flowLogs === 'on';
    return { isWanted, exports: this.#exports?.status() ?? null };
  }

  report(): ConfigReport {
    return this.#configuration.report();
  }

  async #carry(changed: readonly string[], reason: string): Promise<void> {
    const { settings } = this.#configuration;
    this.#logProblems();
    this.#logUndone();
    if (changed.length === 0) return;
    const values = Object.fromEntries(
      changed.map((name) => {
        const value = settings.get(name)?.value;
        return [name, value === undefined ? undefined : showValue(name, value)];
      }),
    );
    this.#log.info('settings changed', { reason, ...values });
    this.#log.setLevel(valuesOf(settings).logLevel);
    await this.#pass();
  }

  async #pass(): Promise<void> {
    const { settings } = this.#configuration;
    await this.#agent?.reconfigure(toLiveOptions(settings));
    await this.#exports?.reconfigure(toExportOptions(settings));
  }

  /** Each state of affairs once. */
  #logProblems(): void {
    const { errors, pending } = this.#configuration;
    const told = JSON.stringify([errors.map(({ message }) => message), pending]);
    if (told === this.#told) return;
    this.#told = told;
    for (const error of errors) {
      this.#log.error('configuration not used, the last good one stays in force', { error: error.toJSON() });
    }
    if (pending.length > 0) this.#log.warn('settings need a restart', { settings: pending });
  }

  /** A field that protects and is not gone by, once for as long as it is there. */
  #logUndone(): void {
    const { ignored } = this.#configuration;
    const undone = ignored.flatMap(({ origin, leftUndone }) =>
      leftUndone === undefined ? [] : [{ origin, leftUndone }],
    );
    for (const { origin, leftUndone } of undone) {
      if (this.#warned.has(origin)) continue;
      this.#log.warn('FelixConfiguration asks for protection that Tortie does not give', { field: origin, leftUndone });
    }
    this.#warned = new Set(undone.map(({ origin }) => origin));
  }
}
