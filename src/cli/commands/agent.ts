// tortie agent: enforces a directory of manifests until it is told to stop, and leaves enforcement in place.
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { Agent } from '../../agent/agent.ts';
import { AgentApi } from '../../agent/api.ts';
import { parseLimits } from '../../agent/limits.ts';
import { type AgentOptions, completeOptions, DEFAULT_STATE_DIRECTORY } from '../../agent/options.ts';
import { Logger } from '../../base/log.ts';
import { bpffsOption, manifestsOption, nodeOption, pinRootOption, socketOption, wholeNumber } from '../options.ts';

export function addAgentCommand(program: Command): void {
  program
    .command('agent')
    .description(
      'enforce a directory of manifests on this host; SIGTERM stops the agent and leaves enforcement in place',
    )
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addOption(bpffsOption())
    .addOption(pinRootOption())
    .addOption(
      new Option('--state-dir <dir>', 'where the agent keeps what must survive it')
        .env('TORTIE_STATE_DIR')
        .default(DEFAULT_STATE_DIRECTORY),
    )
    .addOption(socketOption())
    .addOption(
      new Option('--attach <mode>', 'how programs are attached').choices(['auto', 'tcx', 'clsact']).default('auto'),
    )
    .addOption(
      new Option(
        '--established <mode>',
        'flows that a policy change no longer allows: revalidate stops them, keep lets them end',
      )
        .choices(['revalidate', 'keep'])
        .default('revalidate'),
    )
    .addOption(
      new Option(
        '--interface-prefix <text>',
        'interfaces that drop everything until an endpoint claims them; empty = none',
      ).default('cali'),
    )
    .option('--event-budget <n>', 'deny, drop and log events per CPU and second; 0 = unlimited', wholeNumber(0), 1000)
    .option('--max-flows <n>', 'entries of the flow table', wholeNumber(1024, 2 ** 24))
    .option('--heap-words <n>', '32-bit words of compiled policy', wholeNumber(2 ** 20, 2 ** 24))
    .option('--v6-nodes <n>', 'nodes of the IPv6 address table', wholeNumber(64, 2 ** 20))
    .option('--limit <name=n...>', 'how much of something policy may cost before it is refused; see docs/limits.md')
    .addOption(
      new Option('--log-level <level>', 'least severe lines to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(runAgent);
}

interface AgentFlags {
  readonly manifests: string;
  readonly node: string;
  readonly bpffs: string;
  readonly pinRoot?: string;
  readonly stateDir: string;
  readonly socket: string;
  readonly attach: AgentOptions['attachMode'];
  readonly established: AgentOptions['established'];
  readonly interfacePrefix: string;
  readonly eventBudget: number;
  readonly maxFlows?: number;
  readonly heapWords?: number;
  readonly v6Nodes?: number;
  readonly limit?: readonly string[];
  readonly logLevel: AgentOptions['logLevel'];
}

async function runAgent(flags: AgentFlags): Promise<void> {
  const log = new Logger({ level: flags.logLevel, write: (line) => process.stderr.write(line) });
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const agent = await Agent.start(toOptions(flags), log);
  const api = new AgentApi(agent, log);
  await api.listen();
  log.info('ready', { socket: flags.socket });
  const signal = await stopped;
  log.info('stopping, enforcement stays in place', { signal });
  await api.close();
  await agent.stop();
}

function toOptions(flags: AgentFlags): AgentOptions {
  const defaults = completeOptions({ bpffs: flags.bpffs });
  return completeOptions({
    manifests: flags.manifests,
    node: flags.node,
    bpffs: flags.bpffs,
    pinRoot: flags.pinRoot ?? join(flags.bpffs, 'tortie'),
    stateDirectory: flags.stateDir,
    socket: flags.socket,
    attachMode: flags.attach,
    established: flags.established,
    interfacePrefix: flags.interfacePrefix,
    eventBudget: flags.eventBudget,
    logLevel: flags.logLevel,
    limits: parseLimits(flags.limit ?? []),
    sizes: {
      ...defaults.sizes,
      flows: flags.maxFlows ?? defaults.sizes.flows,
      heapWords: flags.heapWords ?? defaults.sizes.heapWords,
      v6Nodes: flags.v6Nodes ?? defaults.sizes.v6Nodes,
    },
  });
}
