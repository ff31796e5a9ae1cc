// The reference evaluator: policy semantics as one would explain them, slow and obvious. Tests hold the compiled
// tables and the kernel to its answers, `tortie verdict --engine model` asks it directly.
import { formatAddress, type IpAddress } from '../address.ts';
import type { WorkloadEndpoint } from '../endpoint.ts';
import type { Flow } from '../flow.ts';
import { isLinkScopeDiscovery } from '../link-scope.ts';
import type { Direction, Policy } from '../policy.ts';
import type { FlowVerdict, SideVerdict } from '../verdict.ts';
import { combineSides, pendingVerdict, unjudgedSide } from '../verdict.ts';
import type { World } from '../world.ts';
import { Membership } from './membership.ts';
import { enforcedTiers, hasStaged, PolicyWalk, type TierPolicies } from './policy-walk.ts';

export class ReferenceEvaluator {
  readonly #walk: PolicyWalk;
  readonly #byAddress = new Map<string, WorkloadEndpoint>();

  /** Only the endpoints that isJudged accepts have sides in a verdict; all of them are members of sets. */
  constructor(world: World, isJudged: (endpoint: WorkloadEndpoint) => boolean = () => true) {
    this.#walk = new PolicyWalk(world, new Membership(world));
    for (const endpoint of world.workloadEndpoints.values()) {
      if (!isJudged(endpoint)) continue;
      for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), endpoint);
    }
  }

  /** The workload endpoint that owns the address. */
  endpointAt(address: IpAddress): WorkloadEndpoint | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  /** Egress policy of the source's endpoint and ingress policy of the destination's, each judged whatever the other says. */
  evaluate(flow: Flow): FlowVerdict {
    const sender = this.endpointAt(flow.source);
    const receiver = this.endpointAt(flow.destination);
    return combineSides(
      sender === undefined ? null : this.evaluateSide(sender, 'egress', flow),
      receiver === undefined ? null : this.evaluateSide(receiver, 'ingress', flow),
    );
  }

  /** One endpoint's policy in one direction, and what it would be if its staged policies were enforced. */
  evaluateSide(endpoint: WorkloadEndpoint, direction: Direction, flow: Flow): SideVerdict {
    if (isLinkScopeDiscovery(flow)) return unjudgedSide(endpoint.displayName);
    const all = this.#walk.tiersOf(endpoint, direction, isForWorkloads);
    const enforced = this.#walkAll(endpoint, enforcedTiers(all), direction, flow);
    const side = { endpoint: endpoint.displayName, ...enforced };
    if (!hasStaged(all)) return side;
    return { ...side, pending: pendingVerdict(this.#walkAll(endpoint, all, direction, flow).trace) };
  }

  /** Tiers in order, then profiles. */
  #walkAll(endpoint: WorkloadEndpoint, tiers: readonly TierPolicies[], direction: Direction, flow: Flow): Walk {
    const { trace, isLogged } = this.#walk.walkTiers(tiers, direction, flow);
    const last = trace.at(-1);
    if (last !== undefined && last.action !== 'pass') return { verdict: last.action, trace, isLogged };
    const { entry, isLogged: isProfileLogged } = this.#walk.walkProfiles(endpoint, direction, flow);
    const verdict = entry.action === 'allow' ? 'allow' : 'deny';
    return { verdict, trace: [...trace, entry], isLogged: isLogged || isProfileLogged };
  }
}

type Walk = Pick<SideVerdict, 'verdict' | 'trace' | 'isLogged'>;

/** Policies for untracked and pre-DNAT traffic never apply to workloads. */
function isForWorkloads(policy: Policy): boolean {
  return !policy.doNotTrack && !policy.preDnat;
}
