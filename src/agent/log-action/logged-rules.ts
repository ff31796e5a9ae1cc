// Which Log rules a packet has met: the kernel says that one of a list did, not which.
import type { FlowEvent } from '../../events/event.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import type { Flow } from '../../model/flow.ts';
import type { SourceLocation } from '../../model/location.ts';
import type { NameLookup } from '../../model/name-lookup.ts';
import { DIRECTIONS, type Direction, type Policy, type PolicyKind, type Rule } from '../../model/policy.ts';
import { comparePolicies } from '../../model/policy-order.ts';
import { Membership } from '../../model/reference/membership.ts';
import { ruleMatches } from '../../model/reference/rule-match.ts';
import { PROFILE_TIER, policyTraceEntry, type TraceEntry } from '../../model/trace.ts';
import type { World } from '../../model/world.ts';
import type { LoggedRule } from '../../observe/export/log-action.ts';
import { WORD } from '../../tables/layout.ts';

export interface RuleKnowledge {
  readonly world: () => World;
  /** Counts changes of policy. */
  readonly generation: () => number;
  readonly names: Pick<NameLookup, 'endpointAt' | 'verdict'>;
}

interface Candidate {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly index: number;
}

/** As of an instant: labels, and with them members of sets, change without a new generation. */
interface Snapshot {
  readonly world: World;
  readonly membership: Membership;
  readonly generation: number;
  readonly takenAt: number;
  /** Enforced policies that have a Log rule, by tier. */
  readonly logging: ReadonlyMap<string, readonly Policy[]>;
  readonly byName: ReadonlyMap<string, WorkloadEndpoint>;
  /** Packets whose rules may still be told apart: it takes a walk over all endpoints for each new address. */
  comparisons: number;
  /** Milliseconds that have gone into looking rules up. */
  spentMs: number;
}

const SNAPSHOT_MS = 1000;
const COMPARISONS = 300;
/** Of a second: what is left of it is for everything else that the agent does. */
const LOOK_UP_MS = 100;

const KINDS: Readonly<Record<string, PolicyKind>> = {
  np: 'NetworkPolicy',
  gnp: 'GlobalNetworkPolicy',
  knp: 'KubernetesNetworkPolicy',
  kcnp: 'ClusterNetworkPolicy',
};

export class LoggedRules {
  readonly #known: RuleKnowledge;
  #snapshot: Snapshot | undefined;

  constructor(known: RuleKnowledge) {
    this.#known = known;
  }

  /** At least one; where it cannot be told which rule it was, the policy that decided stands for it. */
  find(event: FlowEvent): LoggedRule[] {
    const words = { egress: event.egressWord, ingress: event.ingressWord };
    const flagged = DIRECTIONS.filter((direction) => (words[direction] & WORD.LOG) !== 0);
    const sides = flagged.length > 0 ? flagged : DIRECTIONS.filter((direction) => words[direction] !== 0);
    const rules = sides.flatMap((direction) => this.#rulesOfSide(event, direction, words[direction]));
    return rules.length > 0 ? rules : [UNKNOWN];
  }

  #rulesOfSide(event: FlowEvent, direction: Direction, word: number): LoggedRule[] {
    const { trace } = this.#known.names.verdict(word);
    const snapshot = this.#take();
    const before = performance.now();
    const matching = snapshot.spentMs > LOOK_UP_MS ? [] : this.#matching(snapshot, event, direction, trace);
    snapshot.spentMs += performance.now() - before;
    if (matching.length > 0) return matching.map((one) => toLoggedRule(one, direction));
    const last = trace.at(-1);
    return last === undefined ? [] : [fromTrace(last, direction)];
  }

  #matching(
    snapshot: Snapshot,
    event: FlowEvent,
    direction: Direction,
    trace: readonly TraceEntry[],
  ): readonly Candidate[] {
    const endpoint = this.#endpointName(event, direction);
    const candidates = candidatesOf(snapshot, trace, direction).filter((one) => isOfEndpoint(snapshot, one, endpoint));
    return candidates.length > 1 ? tellApart(snapshot, candidates, event) : candidates;
  }

  #endpointName(event: FlowEvent, direction: Direction): string | undefined {
    const address = (direction === 'egress') === event.isReply ? event.destination : event.source;
    return address === undefined ? undefined : this.#known.names.endpointAt(address);
  }

  #take(): Snapshot {
    const now = performance.now();
    const generation = this.#known.generation();
    const last = this.#snapshot;
    if (last !== undefined && last.generation === generation && now - last.takenAt < SNAPSHOT_MS) return last;
    const world = this.#known.world();
    const logging = last?.generation === generation ? last.logging : loggingPolicies(world);
    const byName = new Map([...world.workloadEndpoints.values()].map((endpoint) => [endpoint.displayName, endpoint]));
    const membership = new Membership(world);
    this.#snapshot = {
      world,
      generation,
      takenAt: now,
      membership,
      logging,
      byName,
      comparisons: COMPARISONS,
      spentMs: 0,
    };
    return this.#snapshot;
  }
}

const UNKNOWN: LoggedRule = Object.freeze({ tier: '', kind: '', name: 'unknown', direction: 'ingress' });

function loggingPolicies(world: World): Map<string, Policy[]> {
  const byTier = new Map<string, Policy[]>();
  for (const policy of world.policies.values()) {
    if (policy.staged || !DIRECTIONS.some((direction) => policy.rules[direction].some(isLog))) continue;
    const others = byTier.get(policy.tier);
    if (others === undefined) byTier.set(policy.tier, [policy]);
    else others.push(policy);
  }
  return byTier;
}

function isLog(rule: Rule): boolean {
  return rule.action === 'log';
}

/** Log rules that come before the rule that decided, in the tiers that the packet went through. */
function candidatesOf({ world, logging }: Snapshot, trace: readonly TraceEntry[], direction: Direction): Candidate[] {
  return trace.flatMap((decision) => {
    const decider = world.policies.get(`${KINDS[decision.kind]}/${decision.namespace ?? ''}/${decision.name}`);
    const policies = (logging.get(decision.tier) ?? []).filter((policy) => policy.governs[direction]);
    return policies.flatMap((policy) => {
      const order = decider === undefined || decision.ruleIndex < 0 ? -1 : comparePolicies(policy, decider);
      if (order > 0) return [];
      const end = policy === decider && decision.ruleIndex >= 0 ? decision.ruleIndex : Number.POSITIVE_INFINITY;
      const rules = [...policy.rules[direction].entries()];
      return rules.flatMap(([index, rule]) => (isLog(rule) && index < end ? [{ policy, rule, index }] : []));
    });
  });
}

/** Whether the policy is one of the endpoint's; of a host's lists that is not asked. */
function isOfEndpoint({ byName, membership }: Snapshot, { policy }: Candidate, name: string | undefined): boolean {
  const endpoint = name === undefined ? undefined : byName.get(name);
  return endpoint === undefined || membership.isHolderSelected(endpoint, policy.selector);
}

/** Those that match the packet; none where too many have been looked at. */
function tellApart(snapshot: Snapshot, candidates: readonly Candidate[], event: FlowEvent): readonly Candidate[] {
  if (snapshot.comparisons === 0) return [];
  snapshot.comparisons -= 1;
  return candidates.filter(({ rule }) => matches(snapshot, rule, event));
}

function matches({ membership }: Snapshot, rule: Rule, event: FlowEvent): boolean {
  const { source, destination } = event;
  if (source === undefined || destination?.family !== source.family) return false;
  const flow: Flow = { ...event, source, destination };
  return ruleMatches(rule, event.isReply ? reversed(flow) : flow, membership);
}

/** As the end that opened it would have sent it. */
function reversed(flow: Flow): Flow {
  const { source, destination, sourcePort, destinationPort } = flow;
  return {
    ...flow,
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  };
}

function toLoggedRule({ policy, rule, index }: Candidate, direction: Direction): LoggedRule {
  const { tier, kind, namespace, name } = policyTraceEntry(policy, 'pass', index, rule.location);
  return { tier, kind, namespace, name, direction, index, location: formatLocation(rule.location) };
}

/** Of a profile, or a host's list. */
function fromTrace({ tier, kind, namespace, name, location }: TraceEntry, direction: Direction): LoggedRule {
  const shown = tier === PROFILE_TIER ? 'profile' : tier;
  return { tier: shown, kind, namespace, name, direction, location: location && formatLocation(location) };
}

function formatLocation({ file, line }: SourceLocation): string {
  return `${file}:${line}`;
}
