// tortie version: of this command and of the agent, and whether they fit.
import type { Command } from 'commander';
import { API_VERSION, VERSION } from '../../agent/version.ts';
import { DataplaneError } from '../../base/errors.ts';
import { readAgentVersion } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption, socketOption } from '../options.ts';
import { type OutputFormat, printData, printError, printWarning } from '../output.ts';
import { type AgentVersion, checkSkew } from '../version-skew.ts';

interface VersionFlags {
  readonly client?: boolean;
  readonly socket: string;
  readonly output: OutputFormat;
}

export function fillVersionCommand(command: Command): void {
  command
    .option('--client', 'of this command only')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(showVersions);
}

async function showVersions({ client: isClientOnly, socket, output }: VersionFlags): Promise<void> {
  const client: AgentVersion = { version: VERSION, api: API_VERSION };
  const show = async (agent: AgentVersion | undefined): Promise<void> => {
    const lines = [`client  ${describe(client)}`, ...(agent === undefined ? [] : [`agent   ${describe(agent)}`])];
    await printData({ client, ...(agent === undefined ? {} : { agent }) }, output, () => lines.join('\n'));
  };
  if (isClientOnly === true) return show(undefined);
  try {
    const agent = await readAgentVersion(socket);
    await show(agent);
    const warning = checkSkew(VERSION, agent);
    if (warning !== undefined) printWarning(warning);
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    const isAway = error.code === 'AGENT_UNREACHABLE';
    if (isAway) await show(undefined);
    printError(error);
    process.exitCode = isAway ? EXIT.NOT_READY : EXIT.FAILED;
  }
}

function describe({ version, api }: AgentVersion): string {
  return `${version} (API ${api})`;
}
