// The whole of a recommendation: a world and flows, one by one, in; policies as text, with the proof that they hold, out.
//
//   recorded flow --EndResolver, Units--> Traffic --needsOf--> RecommendedPolicy --proposalText--> YAML --prove--> Proof
import { DataplaneError } from '../../base/errors.ts';
import type { IpAddress } from '../../model/address.ts';
import type { HostEndpoint, WorkloadEndpoint } from '../../model/endpoint.ts';
import type { World } from '../../model/world.ts';
import { EndpointNames } from '../endpoint-names.ts';
import type { RecordedFlow } from '../flow-logs/recorded-flow.ts';
import { Inventory } from '../inventory.ts';
import type { Judge } from '../outcome.ts';
import { proposalText } from '../protect/proposal-text.ts';
import { EndResolver } from '../simulate-resolve.ts';
import type { ClusterAddresses } from './cluster-addresses.ts';
import { WorkloadGroups } from './groups.ts';
import { type Proof, prove, requireDenyingTier } from './proof.ts';
import { proposalOf, type RecommendOptions, recommend } from './recommendation.ts';
import { flowsOf, Traffic, tookPlace, type UnusedReason } from './traffic.ts';
import { type Subject, Units } from './units.ts';

export interface Recommendation {
  /** A YAML stream of staged policies. */
  readonly yaml: string;
  readonly policies: readonly {
    /** undefined = it is global. */
    readonly namespace?: string;
    readonly name: string;
    readonly workload: string;
    readonly endpoints: number;
    readonly rules: number;
  }[];
  readonly evidence: {
    /** Reports that were used: both ends may report one flow. */
    readonly reports: number;
    /** Flows that the policies were made of. */
    readonly flows: number;
    readonly conversations: number;
    /** Conversations that were denied, for which there are no rules. */
    readonly denied: number;
    readonly unused: Readonly<Partial<Record<UnusedReason, number>>>;
    /** Flows of these that passed and that there is no rule for: the policies deny them. */
    readonly leftOut: number;
  };
  readonly proof: Proof;
}

export interface RecommenderOptions extends RecommendOptions {
  readonly world: World;
  /** The workloads of these endpoints are recommended for, with all their replicas. */
  readonly isSubject: (endpoint: WorkloadEndpoint) => boolean;
  /** These endpoints of hosts are recommended for; none unless given. */
  readonly isHostSubject?: (endpoint: HostEndpoint) => boolean;
  /** What the interfaces of an endpoint of a host have been found to have, besides what it lists; none unless given. */
  readonly addressesOf?: (endpoint: HostEndpoint) => readonly IpAddress[];
  /** Of services, which aggregated records name instead of an address; none unless given. */
  readonly clusterAddresses?: ClusterAddresses;
  readonly openJudge: (world: World) => Judge;
  readonly maxProbes?: number;
  /** See TrafficOptions. */
  readonly isPublicNamed?: boolean;
}

const MAX_PROBES = 100_000;
const MAX_GROUPS = 1000;

export class Recommender {
  readonly #options: RecommenderOptions;
  readonly #units: Units;
  readonly #groups: readonly Subject[];
  readonly #traffic: Traffic;

  /** Throws NOT_FOUND when nobody is recommended for, LIMIT_EXCEEDED, and what requireDenyingTier and Units.govern do. */
  constructor(options: RecommenderOptions) {
    const { world, isSubject, isHostSubject = () => false, addressesOf = () => [], tier } = options;
    requireDenyingTier(world, tier);
    this.#options = options;
    this.#units = new Units(new WorkloadGroups(new Inventory(world)), options.clusterAddresses);
    const workloads = this.#units.groups.all.filter(({ endpoints }) => endpoints.some(isSubject));
    const hosts = [...world.hostEndpoints.values()].filter(isHostSubject);
    this.#groups = [...workloads, ...hosts.map((host) => this.#units.govern(host, addressesOf(host)))];
    requireSome(this.#groups);
    const subjects = new Set(this.#groups.map(({ id }) => id));
    const names = new EndpointNames(world);
    const ends = { resolver: new EndResolver(world, names), names };
    this.#traffic = new Traffic(this.#units, ends, ({ id }) => subjects.has(id), {
      isPublicNamed: options.isPublicNamed === true,
      isForHosts: hosts.length > 0,
    });
  }

  add(flow: RecordedFlow): void {
    this.#traffic.add(flow);
  }

  /** Call once, after the last flow. */
  finish(): Recommendation {
    const { world, openJudge, maxProbes = MAX_PROBES } = this.#options;
    const conversations = this.#traffic.conversations();
    const policies = recommend(this.#groups, conversations, this.#options);
    const yaml = proposalText(proposalOf(policies, this.#options));
    const proof = prove({
      world,
      units: this.#units,
      traffic: this.#traffic,
      policies,
      yaml,
      openJudge,
      maxProbes,
    });
    return {
      yaml,
      policies: policies.map(({ name, group, needs }) => ({
        ...(group.namespace === undefined ? {} : { namespace: group.namespace }),
        name,
        workload: group.name,
        endpoints: group.endpoints.length,
        rules: needs.ingress.length + needs.egress.length,
      })),
      evidence: {
        reports: this.#traffic.used,
        flows: conversations.filter(tookPlace).reduce((sum, conversation) => sum + flowsOf(conversation), 0),
        conversations: conversations.filter(tookPlace).length,
        denied: conversations.filter((conversation) => !tookPlace(conversation)).length,
        unused: this.#traffic.unused,
        leftOut: this.#traffic.leftOut,
      },
      proof,
    };
  }
}

function requireSome(groups: readonly Subject[]): void {
  const details = { operation: 'recommend', target: 'workloads' };
  if (groups.length === 0) {
    throw new DataplaneError('NOT_FOUND', 'no endpoint is meant', {
      ...details,
      hint: 'tortie get workloadendpoints --all-namespaces and tortie get hostendpoints show what there is',
    });
  }
  if (groups.length <= MAX_GROUPS) return;
  throw new DataplaneError('LIMIT_EXCEEDED', 'more workloads than are recommended for at once', {
    ...details,
    found: String(groups.length),
    expected: `at most ${MAX_GROUPS}`,
    hint: 'name a namespace, an endpoint or a selector',
  });
}
