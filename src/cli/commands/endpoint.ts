// tortie endpoint: which interface each local endpoint is behind.
import type { Command } from 'commander';
import type { AgentStatus } from '../../agent/status.ts';
import { askAgent } from '../agent-client.ts';
import { outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, print, printData } from '../output.ts';

interface EndpointFlags {
  readonly socket: string;
}

export function addEndpointCommand(program: Command): void {
  const endpoint = program.command('endpoint').description('local workload endpoints and their interfaces');
  endpoint
    .command('list')
    .description('every local endpoint with its interface and state')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ socket, output }: EndpointFlags & { output: OutputFormat }) => {
      const { endpoints } = await askAgent<AgentStatus>(socket, 'GET', '/v1/status');
      printData(endpoints, output, () =>
        formatTable(
          ['ENDPOINT', 'INTERFACE', 'STATE', 'REASON'],
          endpoints.map((item) => [item.endpoint, item.interface, item.state, item.reason]),
        ),
      );
    });
  endpoint
    .command('add <namespace/name>')
    .description('put an endpoint behind an interface, whatever its manifest says; kept across restarts')
    .requiredOption('--interface <name>', 'host-side interface')
    .addOption(socketOption())
    .action(async (name: string, flags: EndpointFlags & { interface: string }) => {
      await askAgent(flags.socket, 'PUT', endpointPath(name), { interface: flags.interface });
      print(`${name} is behind ${flags.interface}`);
    });
  endpoint
    .command('remove <namespace/name>')
    .description('forget an interface that was given by hand')
    .addOption(socketOption())
    .action(async (name: string, { socket }: EndpointFlags) => {
      await askAgent(socket, 'DELETE', endpointPath(name));
      print(`${name} is where its manifest says`);
    });
}

function endpointPath(name: string): string {
  return `/v1/endpoints/${name.split('/').map(encodeURIComponent).join('/')}`;
}
