// tortie endpoint: which interface each local endpoint is behind, and which ones each host endpoint is responsible for.
import { type Command, Option } from 'commander';
import type { AgentStatus } from '../../agent/status.ts';
import { DataplaneError } from '../../base/errors.ts';
import { askAgent } from '../agent-client.ts';
import { endpointRows, listedEndpoints, nameOfListed } from '../endpoint-rows.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, print, printData } from '../output.ts';

interface EndpointFlags {
  readonly socket: string;
}

interface ListFlags extends EndpointFlags {
  readonly output: OutputFormat;
  readonly namespace?: string;
  readonly state?: string;
}

export function fillEndpointCommand(command: Command): void {
  command
    .command('list')
    .description(
      'every local endpoint with its interface and state, those of the host with the interfaces that are theirs',
    )
    .option('-n, --namespace <name>', 'only workloads of this namespace')
    .addOption(new Option('--state <state>', 'only those in this state').choices(['ready', 'waiting', 'error']))
    .addOption(socketOption())
    .addOption(outputOption())
    .action(listEndpoints);
  command
    .command('get <name>')
    .description(
      'one local endpoint, <namespace>/<name> or hostendpoint/<name>; exit code 4 unless its policy is enforced',
    )
    .addOption(socketOption())
    .addOption(outputOption())
    .action(getEndpoint);
  command
    .command('add <namespace/name>')
    .description(
      'put an endpoint behind an interface, whatever its manifest says; kept across restarts, not in history: the log says who did it',
    )
    .requiredOption('--interface <name>', 'host-side interface')
    .addOption(socketOption())
    .action(async (name: string, flags: EndpointFlags & { interface: string }) => {
      await askAgent(flags.socket, 'PUT', endpointPath(name), { interface: flags.interface });
      print(`${name} is behind ${flags.interface}`);
    });
  command
    .command('remove <namespace/name>')
    .description('forget an interface that was given by hand; not in history: the log says who did it')
    .addOption(socketOption())
    .action(async (name: string, { socket }: EndpointFlags) => {
      await askAgent(socket, 'DELETE', endpointPath(name));
      print(`${name} is where its manifest says`);
    });
}

async function listEndpoints({ socket, output, namespace, state }: ListFlags): Promise<void> {
  const status = await askAgent<AgentStatus>(socket, 'GET', '/v1/status');
  const found = listedEndpoints(status).filter(
    (item) =>
      (namespace === undefined || ('endpoint' in item && item.endpoint.startsWith(`${namespace}/`))) &&
      (state === undefined || item.state === state),
  );
  await printData(found, output, () => formatTable(...endpointRows(found)));
}

async function getEndpoint(name: string, { socket, output }: ListFlags): Promise<void> {
  const status = await askAgent<AgentStatus>(socket, 'GET', '/v1/status');
  const found = listedEndpoints(status).find((item) => nameOfListed(item) === name);
  if (found === undefined) {
    throw new DataplaneError('NOT_FOUND', 'is no local endpoint', {
      operation: 'find',
      target: `endpoint ${name}`,
      hint: 'see: tortie endpoint list',
    });
  }
  await printData(found, output, () => formatTable(...endpointRows([found])));
  if (found.state !== 'ready') process.exitCode = EXIT.NOT_READY;
}

function endpointPath(name: string): string {
  return `/v1/endpoints/${name.split('/').map(encodeURIComponent).join('/')}`;
}
