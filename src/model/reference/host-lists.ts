// What each list of a host endpoint says about a flow: failsafe ports, tiers, then profiles or the list's own end. Part
// of the reference evaluator.
import { containsAddress, type IpAddress } from '../address.ts';
import type { HostEndpoint } from '../endpoint.ts';
import type { Flow } from '../flow.ts';
import { type Failsafe, settingsOfNode } from '../host-settings.ts';
import { decisionOf, type ListVerdict } from '../path.ts';
import { DIRECTIONS, type Direction, type HostScope, type Policy } from '../policy.ts';
import { endTraceEntry, failsafeTraceEntry, type TraceEntry } from '../trace.ts';
import type { World } from '../world.ts';
import { Membership } from './membership.ts';
import { enforcedTiers, hasStaged, PolicyWalk, type TierPolicies } from './policy-walk.ts';

/** Which policies are in which list. */
const LISTED: Readonly<Record<HostScope, (policy: Policy) => boolean>> = {
  normal: (policy) => !policy.doNotTrack && !policy.preDnat,
  forward: (policy) => policy.applyOnForward && !policy.doNotTrack && !policy.preDnat,
  preDnat: (policy) => policy.preDnat,
  untracked: (policy) => policy.doNotTrack,
};

export class ReferenceHostLists {
  readonly #world: World;
  readonly #walk: PolicyWalk;

  constructor(world: World) {
    this.#world = world;
    this.#walk = new PolicyWalk(world, new Membership(world));
  }

  /** undefined = the endpoint has no such list: only that for the host's own traffic is there without any policy. */
  evaluate(endpoint: HostEndpoint, scope: HostScope, direction: Direction, flow: Flow): ListVerdict | undefined {
    const tiersIn = (of: Direction): TierPolicies[] => this.#walk.tiersOf(endpoint, of, LISTED[scope]);
    if (scope !== 'normal' && DIRECTIONS.every((of) => tiersIn(of).length === 0)) return undefined;
    const all = tiersIn(direction);
    const enforced = this.#walkAll(endpoint, scope, enforcedTiers(all), direction, flow);
    if (!hasStaged(all)) return enforced;
    const { verdict, trace } = this.#walkAll(endpoint, scope, all, direction, flow);
    return { ...enforced, pending: { verdict, trace } };
  }

  #walkAll(
    endpoint: HostEndpoint,
    scope: HostScope,
    tiers: readonly TierPolicies[],
    direction: Direction,
    flow: Flow,
  ): ListVerdict {
    const failsafe = this.#failsafe(endpoint, scope, direction, flow);
    if (failsafe !== undefined) return { verdict: decisionOf([failsafe]), trace: [failsafe], isLogged: false };
    const isStateless = scope === 'preDnat' || scope === 'untracked';
    const ends = isStateless ? tiers.map(withoutDefault) : tiers;
    const { trace, isLogged } = this.#walk.walkTiers(ends, direction, flow);
    const decision = decisionOf(trace);
    if (decision !== 'next') return { verdict: decision, trace, isLogged };
    const end = this.#end(endpoint, scope, direction, flow);
    const whole = [...trace, end.entry];
    return { verdict: decisionOf(whole), trace: whole, isLogged: isLogged || end.isLogged };
  }

  #end(
    endpoint: HostEndpoint,
    scope: HostScope,
    direction: Direction,
    flow: Flow,
  ): { readonly entry: TraceEntry; readonly isLogged: boolean } {
    if (scope === 'normal') return this.#walk.walkProfiles(endpoint, direction, flow);
    return { entry: endTraceEntry(scope), isLogged: false };
  }

  /** Forwarded traffic knows none. Before routing and connections nothing is let through for good: later stages go on. */
  #failsafe(endpoint: HostEndpoint, scope: HostScope, direction: Direction, flow: Flow): TraceEntry | undefined {
    if (scope === 'forward') return undefined;
    const action = scope === 'normal' ? 'allow' : 'pass';
    const { failsafes } = settingsOfNode(this.#world.hostSettings, endpoint.node);
    const other = direction === 'ingress' ? flow.source : flow.destination;
    const found = failsafes[direction].findIndex((each) => isOpen(each, flow, flow.destinationPort, other));
    if (found >= 0) return failsafeTraceEntry(direction, action, found);
    if (scope !== 'untracked') return undefined;
    const reverse = direction === 'ingress' ? 'egress' : 'ingress';
    const answered = failsafes[reverse].findIndex((each) => isOpen(each, flow, flow.sourcePort, other));
    return answered >= 0 ? failsafeTraceEntry(reverse, action, answered) : undefined;
  }
}

/** Policy before connections and routing denies by its rules only. */
function withoutDefault({ tier, policies }: TierPolicies): TierPolicies {
  return { tier: { ...tier, defaultAction: 'pass' }, policies };
}

function isOpen({ protocol, port, net }: Failsafe, flow: Flow, flowPort: number, other: IpAddress): boolean {
  return flow.protocol === protocol && flowPort === port && (net === undefined || containsAddress(net, other));
}
