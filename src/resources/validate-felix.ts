// FelixConfigurations that ask for what the agent cannot go by.
import type { Report } from './report.ts';
import type { FelixConfigurationSpec } from './schemas/felix-configuration.ts';

/** The agent reads its settings before it knows any node's labels. */
export function checkFelixConfiguration({ nodeSelector }: FelixConfigurationSpec, report: Report): void {
  if (nodeSelector === undefined) return;
  report(['spec', 'nodeSelector'], 'settings for nodes by their labels are not supported', {
    code: 'UNSUPPORTED_FIELD',
    found: nodeSelector,
    hint: 'name the object node.<name> for one node, or default for all',
  });
}
