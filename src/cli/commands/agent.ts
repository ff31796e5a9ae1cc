// tortie agent: enforces a directory of manifests until it is told to stop, and leaves enforcement in place.
import type { Command } from 'commander';
import { runAgent } from '../../agent/lifecycle.ts';
import { addAgentFlags, configSources } from '../agent-flags.ts';

export function fillAgentCommand(command: Command): void {
  addAgentFlags(command)
    .addHelpText(
      'after',
      '\nA flag counts before the environment, that before the configuration file: docs/configuration.md',
    )
    .action((given: Readonly<Record<string, unknown>>) =>
      runAgent(configSources(given), (line) => process.stderr.write(line)),
    );
}
