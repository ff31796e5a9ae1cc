// Where the agent's options come from, as far as the agent must know: to show them, and to say that manifests change them.
import type { FelixConfiguration } from './felix.ts';
import type { ConfigReport, ConfigStatus } from './report.ts';

export interface AgentSettings {
  status(): ConfigStatus;
  report(): ConfigReport;
  felixChanged(objects: readonly FelixConfiguration[]): void;
}
