// tortie status: is everything that was accepted in force?
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { AgentStatus } from '../../agent/status.ts';
import { DataplaneError } from '../../base/errors.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption, socketOption, wholeNumber } from '../options.ts';
import { type OutputFormat, printData } from '../output.ts';
import { formatStatus } from '../status-text.ts';

const POLL_MS = 50;

const HELP = `
What is degraded is shown with its reason and since when; docs/doctor.md says what each means. Verdicts are those of the
policy in force whatever is degraded, so it changes no exit code. With -o json and -o yaml it is in "conditions", and what
was repaired in "repairsByCause".

Exit code 0: in sync. 4: not in sync (yet), or no agent answers, --wait or not.`;

export function fillStatusCommand(command: Command): void {
  command
    .addOption(socketOption())
    .addOption(outputOption())
    .option('--wait <seconds>', 'wait so long for it to be in sync', wholeNumber(0), 0)
    .addHelpText('after', HELP)
    .action(async ({ socket, output, wait }: { socket: string; output: OutputFormat; wait: number }) => {
      const status = await waitForStatus(socket, wait * 1000);
      await printData(status, output, () => formatStatus(status));
      if (!status.inSync) process.exitCode = EXIT.NOT_READY;
    });
}

/** The first status that is in sync, or the last one within the time. Throws AGENT_UNREACHABLE. */
async function waitForStatus(socket: string, waitMs: number): Promise<AgentStatus> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const isLast = Date.now() >= deadline;
    try {
      const status = await askAgent<AgentStatus>(socket, 'GET', '/v1/status');
      if (status.inSync || isLast) return status;
    } catch (error) {
      if (isLast || !(error instanceof DataplaneError) || error.code !== 'AGENT_UNREACHABLE') throw error;
    }
    await sleep(POLL_MS);
  }
}
