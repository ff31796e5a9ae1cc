// Where the agent's options come from, as far as the agent must know: to show them, and to say that manifests change them.
import type { ExportStatus } from '../export/agent-exports.ts';
import type { FelixConfiguration } from './felix.ts';
import type { ConfigReport, ConfigStatus } from './report.ts';

export interface AgentSettings {
  status(): ConfigStatus;
  report(): ConfigReport;
  /** Whether flow logs are wanted, and how those do that they are sent to. */
  telling(): { readonly isWanted: boolean; readonly exports: ExportStatus | null };
  felixChanged(objects: readonly FelixConfiguration[]): void;
}
