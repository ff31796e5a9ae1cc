// tortie status: is everything that was accepted in force?
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { AgentStatus } from '../../agent/status.ts';
import { DataplaneError } from '../../base/errors.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption, socketOption, wholeNumber } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData } from '../output.ts';

const POLL_MS = 50;

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('the state of the agent: exit code 0 when all accepted manifests are in force')
    .addOption(socketOption())
    .addOption(outputOption())
    .option('--wait <seconds>', 'wait so long for it to be in sync', wholeNumber(0), 0)
    .action(async ({ socket, output, wait }: { socket: string; output: OutputFormat; wait: number }) => {
      const status = await waitForStatus(socket, wait * 1000);
      printData(status, output, () => formatStatus(status));
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

/** What came over the API, and what of it still comes undone by itself. */
function formatStore({ store }: AgentStatus): string[] {
  if (store === null) return [];
  const { revision, objects, pending } = store;
  const warning =
    pending === null
      ? []
      : [
          `  ${paint(`revision ${pending.revision} is undone at ${pending.expires} unless: tortie confirm ${pending.revision}`, 'yellow')}`,
        ];
  return [`store      ${objects} objects, revision ${revision}`, ...warning];
}

function formatStatus(status: AgentStatus): string {
  const { manifests, tables, endpoints } = status;
  const lines = [
    `${paint(status.inSync ? 'in sync' : 'NOT in sync', status.inSync ? 'green' : 'red')}  generation ${status.generation}, node ${status.node}, attached by ${status.attachMode}, version ${status.version}`,
    ...(status.loading ? ['loading    manifests are being loaded; changes wait for that'] : []),
    `manifests  ${manifests.objects} objects from ${manifests.directory}, ${manifests.errors.length} refused`,
    ...manifests.errors.map((error) => `  ${paint(error.code, 'red')} ${error.message}`),
    ...formatStore(status),
    ...(status.error === null ? [] : [`  ${paint('not applied', 'red')} ${String(status.error.message)}`]),
    `tables     ${tables?.endpoints ?? 0} endpoints, ${tables?.policyLists ?? 0} policy lists, ${tables?.addressClasses ?? 0} address classes, ${tables?.l4Classes ?? 0} layer-4 classes`,
    `flows      ${status.flows}`,
    '',
    formatTable(
      ['ENDPOINT', 'INTERFACE', 'STATE', 'REASON'],
      endpoints.map((item) => [item.endpoint, item.interface, item.state, item.reason]),
    ),
    '',
    formatTable(
      ['PACKETS', 'BYTES', 'WHY'],
      Object.entries(status.counters)
        .filter(([, { packets }]) => packets > 0)
        .map(([reason, { packets, bytes }]) => [String(packets), String(bytes), reason]),
    ),
  ];
  return lines.join('\n');
}
