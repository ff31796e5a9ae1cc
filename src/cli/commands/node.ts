// tortie node: the machine that the agent runs on, and the nodes that it knows of.
import { release } from 'node:os';
import type { Command } from 'commander';
import type { AgentStatus } from '../../agent/status.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { at } from '../object-columns.ts';
import { nameOf } from '../object-output.ts';
import { outputOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, printData } from '../output.ts';
import { ResourceClient } from '../resource-client.ts';

interface NodeFlags {
  readonly socket: string;
  readonly output: OutputFormat;
}

interface NodeSummary {
  readonly node: string;
  /** The agent runs on it. */
  readonly isLocal: boolean;
  /** Workload endpoints that are on it. */
  readonly endpoints: number;
  readonly addresses: readonly string[];
}

export function fillNodeCommand(command: Command): void {
  command
    .command('status')
    .description('what enforces policy on this machine; exit code 4 when it is not in sync')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(showStatus);
  command
    .command('list')
    .description('nodes that objects speak of, with how many workload endpoints are on them')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ socket, output }: NodeFlags) => {
      const nodes = await listNodes(socket);
      await printData(nodes, output, () =>
        formatTable(
          ['NODE', 'LOCAL', 'ENDPOINTS', 'ADDRESSES'],
          nodes.map((one) => [one.node, one.isLocal ? 'yes' : '', String(one.endpoints), one.addresses.join(',')]),
        ),
      );
    });
}

async function showStatus({ socket, output }: NodeFlags): Promise<void> {
  const status = await askAgent<AgentStatus>(socket, 'GET', '/v1/status');
  const { node, version, inSync, loading, attachMode, generation, endpoints, flows, repairs, manifests, store } =
    status;
  const count = (state: string): number => endpoints.filter((one) => one.state === state).length;
  const summary = {
    node,
    version,
    kernel: release(),
    attachMode,
    inSync,
    loading,
    generation,
    endpoints: { ready: count('ready'), waiting: count('waiting'), error: count('error') },
    flows,
    repairs,
    manifests: { directory: manifests.directory, objects: manifests.objects, refused: manifests.errors.length },
    store: store === null ? null : { revision: store.revision, objects: store.objects },
  };
  await printData(summary, output, () =>
    [
      `node       ${node}, kernel ${summary.kernel}, attached by ${attachMode}`,
      `agent      ${version}, ${inSync ? 'in sync' : 'NOT in sync'}${loading ? ', loading' : ''}, generation ${generation}`,
      `endpoints  ${count('ready')} ready, ${count('waiting')} waiting, ${count('error')} in error`,
      `flows      ${flows}`,
      `repairs    ${repairs}`,
      `manifests  ${manifests.objects} objects from ${manifests.directory}, ${manifests.errors.length} refused`,
      `store      ${store === null ? 'none' : `${store.objects} objects, revision ${store.revision}`}`,
    ].join('\n'),
  );
  if (!inSync) process.exitCode = EXIT.NOT_READY;
}

/** By name. */
async function listNodes(socket: string): Promise<readonly NodeSummary[]> {
  const client = new ResourceClient(socket);
  const [nodes, endpoints, { node: local }] = await Promise.all([
    client.list({ type: 'Node' }),
    client.list({ type: 'WorkloadEndpoint' }),
    askAgent<AgentStatus>(socket, 'GET', '/v1/status'),
  ]);
  const counts = new Map<string, number>();
  for (const endpoint of endpoints.items) {
    const name = String(at(endpoint, 'spec', 'node'));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const addresses = new Map(nodes.items.map((one) => [nameOf(one), addressesOf(at(one, 'status', 'addresses'))]));
  // `*` = the agent treats the endpoints of every node as its own.
  const names = new Set([
    ...counts.keys(),
    ...addresses.keys(),
    ...(local === '*' || local === undefined ? [] : [local]),
  ]);
  return [...names].sort().map((node) => ({
    node,
    isLocal: local === '*' || node === local,
    endpoints: counts.get(node) ?? 0,
    addresses: addresses.get(node) ?? [],
  }));
}

function addressesOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((one) => String(at(one, 'address'))) : [];
}
