// tortie version: of this command and of the agent, and whether they fit.
import type { Command } from 'commander';
import { API_VERSION } from '../../agent/api/routes/agent.ts';
import { VERSION } from '../../agent/version.ts';
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

export function addVersionCommand(program: Command): void {
  program
    .command('version')
    .description('versions of this command and of the agent; exit code 1 when they do not fit')
    .option('--client', 'of this command only')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(showVersions);
}

async function showVersions({ client: isClientOnly, socket, output }: VersionFlags): Promise<void> {
  const client: AgentVersion = { version: VERSION, api: API_VERSION };
  const show = (agent: AgentVersion | undefined): void => {
    const lines = [`client  ${describe(client)}`, ...(agent === undefined ? [] : [`agent   ${describe(agent)}`])];
    printData({ client, ...(agent === undefined ? {} : { agent }) }, output, () => lines.join('\n'));
  };
  if (isClientOnly === true) return show(undefined);
  try {
    const agent = await readAgentVersion(socket);
    show(agent);
    const warning = checkSkew(VERSION, agent);
    if (warning !== undefined) printWarning(warning);
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    const isAway = error.code === 'AGENT_UNREACHABLE';
    if (isAway) show(undefined);
    printError(error);
    process.exitCode = isAway ? EXIT.NOT_READY : EXIT.FAILED;
  }
}

function describe({ version, api }: AgentVersion): string {
  return `${version} (API ${api})`;
}
