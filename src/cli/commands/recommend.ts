// tortie recommend: least-privilege policies from flows that were seen, as staged objects, with the proof that they hold.
import { type Command, Option } from 'commander';
import type { HostEndpointStatus } from '../../agent/host-endpoint-status.ts';
import { openEngine } from '../../agent/offline.ts';
import { Inventory } from '../../analysis/inventory.ts';
import { clusterAddressesOf } from '../../analysis/recommend/cluster-addresses.ts';
import { EXACT_PORTS } from '../../analysis/recommend/port-ranges.ts';
import { DEFAULT_SUMMARISING, EXACT_ADDRESSES } from '../../analysis/recommend/prefixes.ts';
import { DEFAULT_ORDER } from '../../analysis/recommend/recommendation.ts';
import { Recommender } from '../../analysis/recommend/recommender.ts';
import { DEFAULT_MERGING, type Merging } from '../../analysis/recommend/rules.ts';
import { UNUSED_REASONS } from '../../analysis/recommend/traffic.ts';
import { DataplaneError } from '../../base/errors.ts';
import { type IpAddress, parseAddress } from '../../model/address.ts';
import type { HostEndpoint, WorkloadEndpoint } from '../../model/endpoint.ts';
import { parseSelector } from '../../model/selector/parser.ts';
import type { World } from '../../model/world.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import {
  addFlowInputOptions,
  describeUnreadable,
  type FlowInputFlags,
  type FlowQuery,
  feedInput,
} from '../flow-input.ts';
import { socketOption, wholeNumber } from '../options.ts';
import { print, printData, printError, printWarning } from '../output.ts';
import { describeRecommendation, isProven, summaryLines } from '../recommend-text.ts';
import { readSnapshot, worldOfSnapshot } from '../world-source.ts';

interface RecommendFlags extends FlowInputFlags {
  readonly namespace?: string;
  readonly endpoint?: string;
  readonly selector?: string;
  readonly hostEndpoint?: string;
  readonly manifests?: string;
  readonly tier: string;
  readonly order: number;
  readonly exact?: true;
  readonly publicNetwork?: true;
  readonly acceptLeftOut?: true;
  readonly prefixV4: number;
  readonly prefixV6: number;
  readonly maxProbes: number;
  readonly output: 'yaml' | 'json' | 'table';
}

const HELP = `
Workloads are named by labels, all replicas of an application alike; addresses only where nothing has a name for them. Ports become
ranges only where most of a range was seen, or where they are ephemeral; addresses outside are summarised when there are many, never
by prefixes shorter than --prefix-v4 and --prefix-v6. Each rule says what it is made of, and what it covers besides. With --exact no
rule covers anything that was not seen.

Before anything is printed, every flow is judged again by the policies, and some that nobody was seen to send: the first line of the
answer has the numbers. Exit code 1: a flow that was seen would be denied, or one that was not would pass against what the rules say.
Flows that no rule could be made of, as of records without an address, would be denied too, unless --accept-left-out says that they may.

  tortie recommend --namespace shop --since 7d > shop.yaml
  tortie apply -f shop.yaml                      staged: nothing is denied yet
  tortie staged report                           what it would have denied since
  tortie staged promote shop/recommended-web --watch 10m --rollback-on-denies 0`;

export function fillRecommendCommand(command: Command): void {
  command
    .option('-n, --namespace <name>', 'for the workloads of this namespace')
    .option('--endpoint <ns/name>', 'for the workload that this endpoint is of')
    .option('--selector <selector>', "for the workloads of endpoints with these labels: app == 'web'")
    .option('--host-endpoint <name>', 'for this endpoint of a host, * = every one: policies are global');
  addFlowInputOptions(command)
    .option('--manifests <dir>', 'who there is, from this directory instead of from the agent')
    .option('--tier <name>', 'that the policies are put in', 'default')
    .option('--order <n>', 'of the policies in it', wholeNumber(0, 1_000_000_000), DEFAULT_ORDER)
    .option('--exact', 'no rule covers what was not seen')
    .option(
      '--public-network',
      'aggregated records with the internet have no addresses: let through all that is public',
    )
    .option('--accept-left-out', 'exit code 0 although flows that passed were left out and would be denied')
    .option(
      '--prefix-v4 <n>',
      'shortest IPv4 prefix for many addresses',
      wholeNumber(8, 32),
      DEFAULT_SUMMARISING.bound[4],
    )
    .option(
      '--prefix-v6 <n>',
      'shortest IPv6 prefix for many addresses',
      wholeNumber(16, 128),
      DEFAULT_SUMMARISING.bound[6],
    )
    .option('--max-probes <n>', 'flows that were not seen, to be judged at most', wholeNumber(0, 10_000_000), 100_000)
    .addOption(
      new Option('-o, --output <format>', 'yaml = the policies; table = what was proven of them')
        .choices(['yaml', 'json', 'table'])
        .default('yaml'),
    )
    .addOption(socketOption())
    .addHelpText('after', HELP)
    .action(runRecommend);
}

async function runRecommend(flags: RecommendFlags): Promise<void> {
  const snapshot = await readSnapshot(flags);
  const { world, errors } = worldOfSnapshot(snapshot);
  errors.forEach(printError);
  const recommender = new Recommender({
    world,
    isSubject: subjectOf(world, flags),
    addressesOf: await addressesOfHosts(flags),
    clusterAddresses: clusterAddressesOf(snapshot.objects.values()),
    isHostSubject: ({ name }) => flags.hostEndpoint === '*' || flags.hostEndpoint === name,
    openJudge: (judged) => {
      const engine = openEngine('tables', judged, '*');
      return engine.evaluate.bind(engine);
    },
    merging: mergingOf(flags),
    tier: flags.tier,
    order: flags.order,
    maxProbes: flags.maxProbes,
    isPublicNamed: flags.publicNetwork === true,
  });
  const input = await feedInput(flags, queryOf(flags), {
    flow: (flow) => recommender.add(flow),
    skip: () => undefined,
  });
  describeUnreadable(input.unreadable).forEach(printWarning);
  requireFlows(input.records, flags);
  const recommendation = recommender.finish();
  const summary = summaryLines(recommendation);
  const { unused } = recommendation.evidence;
  if (unused.noAddress !== undefined)
    printWarning(`${unused.noAddress} flows ${UNUSED_REASONS.noAddress}; ${NO_ADDRESS_HINT}`);
  if (flags.output === 'yaml') {
    const head = [`Recommended from ${input.from}, ${input.records} records.`, ...summary];
    print(`${head.map((line) => `# ${line}`).join('\n')}\n${recommendation.yaml.trimEnd()}`);
  } else {
    await printData({ ...recommendation, input }, flags.output, () => describeRecommendation(recommendation));
  }
  if (!isProven(recommendation, flags.acceptLeftOut === true)) process.exitCode = EXIT.FAILED;
  else if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** What the agent has found on interfaces of its host; of a directory nobody knows. */
async function addressesOfHosts({ hostEndpoint, manifests, socket }: RecommendFlags) {
  if (hostEndpoint === undefined || manifests !== undefined) return () => [];
  const status = await askAgent<{ readonly hostEndpoints?: readonly Partial<HostEndpointStatus>[] }>(
    socket,
    'GET',
    '/v1/status',
  );
  const found = new Map((status.hostEndpoints ?? []).map((each) => [each.hostEndpoint, each.addresses ?? []]));
  return ({ name }: HostEndpoint): readonly IpAddress[] =>
    (found.get(name) ?? []).flatMap((text) => parseAddress(text) ?? []);
}

const NO_ADDRESS_HINT =
  'they would be denied: have every record kept (flowStore: all), or see --public-network and --accept-left-out';

/** Throws USAGE, NOT_FOUND, INVALID_SELECTOR. */
function subjectOf(world: World, flags: RecommendFlags): (endpoint: WorkloadEndpoint) => boolean {
  const { namespace, endpoint, selector, hostEndpoint } = flags;
  if ((namespace ?? endpoint ?? selector) === undefined) {
    if (hostEndpoint !== undefined) return () => false;
    throw new DataplaneError('USAGE', 'says nobody to recommend for', {
      operation: 'recommend',
      target: 'policies',
      expected: '--namespace, --endpoint, --selector or --host-endpoint',
    });
  }
  const selected =
    selector === undefined
      ? undefined
      : new Set(new Inventory(world).selectedWorkloads(parseSelector(selector)).map(({ key }) => key));
  return ({ key, namespace: own, displayName }) =>
    (namespace === undefined || own === namespace) &&
    (endpoint === undefined || displayName === endpoint || key === endpoint) &&
    (selected === undefined || selected.has(key));
}

function mergingOf({ exact, prefixV4, prefixV6 }: RecommendFlags): Merging {
  if (exact === true) return { ports: EXACT_PORTS, addresses: EXACT_ADDRESSES };
  return { ...DEFAULT_MERGING, addresses: { ...DEFAULT_SUMMARISING, bound: { 4: prefixV4, 6: prefixV6 } } };
}

/** The store is asked for no more than what matters. */
function queryOf({ namespace, endpoint, hostEndpoint }: RecommendFlags): FlowQuery {
  if (hostEndpoint !== undefined) return {};
  const [place] = endpoint?.split('/') ?? [];
  return { namespace: namespace ?? place };
}

/** Of nothing, a policy that denies everything could be made; that is not what anybody means. */
function requireFlows(records: number, { fromFile }: RecommendFlags): void {
  if (records > 0) return;
  throw new DataplaneError('NOT_FOUND', 'there are no flows to learn from', {
    operation: 'recommend',
    target: fromFile?.join(', ') ?? 'the store of the agent',
    hint: 'look further back with --since, or let tortie flows show what there is',
  });
}
