// Whether a recommendation keeps its word, judged by an engine on the text that is handed out: every flow that it was made of
// passes, what was not seen does not.
import { DataplaneError } from '../../base/errors.ts';
import { buildWorld } from '../../model/build-world.ts';
import type { Flow } from '../../model/flow.ts';
import { type FlowText, formatQuestion } from '../../model/flow-question.ts';
import { SETTINGS_FOR_ALL } from '../../model/host-settings.ts';
import type { Direction, Policy, PolicyKind } from '../../model/policy.ts';
import { ReferenceHostLists } from '../../model/reference/host-lists.ts';
import type { SideVerdict } from '../../model/verdict.ts';
import type { World } from '../../model/world.ts';
import { parseDocuments } from '../../resources/document.ts';
import type { Judge } from '../outcome.ts';
import { formatEntry } from '../outcome.ts';
import { probesOf } from './probes.ts';
import type { RecommendedPolicy } from './recommendation.ts';
import { type Traffic, tookPlace } from './traffic.ts';
import type { Units } from './units.ts';

/** A flow that something was found about. */
export interface ProofExample {
  readonly flow: FlowText;
  readonly direction: Direction;
  /** `<tier>|<kind>:<name>|<action>|<rule>`. */
  readonly rule: string;
}

export interface ReplayCount {
  readonly flows: number;
  readonly denied: number;
  readonly examples: readonly ProofExample[];
}

export interface ProbeCount {
  /** Flows that nobody was seen to send. */
  readonly probes: number;
  readonly denied: number;
  /** Let through as the comments of their rules say. */
  readonly widened: number;
  /** Let through against what the recommendation says: there is something wrong with it. */
  readonly unexplained: number;
  readonly examples: readonly ProofExample[];
}

export interface Proof {
  /** The policies alone. */
  readonly replay: ReplayCount;
  readonly unseen: ProbeCount;
  /** With the policies that are in force: those may deny before these do, or let through what these do not. */
  readonly inContext: { readonly replay: ReplayCount; readonly unseen: ProbeCount };
  /** Flows that were seen but for which there was no room: not judged again. */
  readonly notReplayed: number;
}

export interface ProofInput {
  readonly world: World;
  readonly units: Units;
  readonly traffic: Traffic;
  readonly policies: readonly RecommendedPolicy[];
  /** What is handed out. */
  readonly yaml: string;
  readonly openJudge: (world: World) => Judge;
  readonly maxProbes: number;
}

const MAX_EXAMPLES = 10;
const ENFORCED: Readonly<Partial<Record<PolicyKind, PolicyKind>>> = {
  StagedNetworkPolicy: 'NetworkPolicy',
  StagedGlobalNetworkPolicy: 'GlobalNetworkPolicy',
};

type Side = Pick<SideVerdict, 'verdict' | 'trace'>;
/** What the policy of that subject says; null = none speaks. */
type Sides = (subject: string, direction: Direction, flow: Flow) => Side | null;

const NO_FAILSAFES: World['hostSettings'] = new Map([
  [
    SETTINGS_FOR_ALL,
    {
      type: 'hostSettings',
      key: SETTINGS_FOR_ALL,
      failsafes: { ingress: [], egress: [] },
      location: { file: '', line: 0 },
    },
  ],
]);

/** Workloads by the engine; hosts, whose ends it does not judge, by the lists of the reference evaluator. */
function sidesBy(judge: Judge, world: World, policies: readonly RecommendedPolicy[]): Sides {
  const lists = new ReferenceHostLists(world);
  const hosts = new Map(
    policies.flatMap(({ group }) =>
      group.endpoints.flatMap((endpoint) => (endpoint.type === 'hostEndpoint' ? [[group.id, endpoint] as const] : [])),
    ),
  );
  return (subject, direction, flow) => {
    const host = hosts.get(subject);
    if (host === undefined) return judge(flow)[direction];
    const said = lists.evaluate(host, 'normal', direction, flow);
    return said === undefined ? null : { verdict: said.verdict === 'allow' ? 'allow' : 'deny', trace: said.trace };
  };
}

/** Throws what reading the text throws: what is not understood proves nothing. */
export function prove(input: ProofInput): Proof {
  const { world, yaml, openJudge, traffic } = input;
  const recommended = enforcedPolicies(yaml);
  const inForce = [...world.policies.values()].filter(({ staged }) => !staged);
  const sidesIn = (judged: World): Sides => sidesBy(openJudge(judged), judged, input.policies);
  // Ports that are never closed would speak for policy that does not.
  const alone = sidesIn({ ...world, policies: byKey(recommended), hostSettings: NO_FAILSAFES });
  const together = sidesIn({ ...world, policies: byKey([...inForce, ...recommended]) });
  return {
    replay: replay(input, alone),
    unseen: probe(input, alone),
    inContext: { replay: replay(input, together), unseen: probe(input, together) },
    notReplayed: traffic.unkept,
  };
}

/** The policies of the text, as if they were enforced. */
export function enforcedPolicies(yaml: string): Policy[] {
  const { resources, errors } = parseDocuments(yaml, 'recommendation');
  const { world, errors: worldErrors } = buildWorld(resources);
  const [error] = [...errors, ...worldErrors];
  if (error !== undefined) throw error;
  return [...world.policies.values()].map((policy) => {
    const kind = ENFORCED[policy.kind] ?? policy.kind;
    return { ...policy, kind, staged: false, key: `${kind}/${policy.namespace ?? ''}/${policy.name}` };
  });
}

/** A tier that passes at its end denies nothing that its policies do not. Throws NOT_FOUND, INVALID_FIELD. */
export function requireDenyingTier({ tiers }: World, name: string): void {
  const tier = tiers.get(name);
  const details = { operation: 'recommend', target: `tier ${name}` };
  if (tier === undefined) {
    const expected = `one of ${[...tiers.keys()].sort().slice(0, 8).join(', ')}`;
    throw new DataplaneError('NOT_FOUND', 'no such tier', { ...details, expected });
  }
  if (tier.defaultAction === 'deny') return;
  const hint = 'what was not seen would not be denied there: take a tier whose defaultAction is Deny';
  throw new DataplaneError('INVALID_FIELD', 'passes what no policy of it decides', { ...details, found: 'Pass', hint });
}

function replay({ traffic, policies }: ProofInput, sideOf: Sides): ReplayCount {
  const subjects = new Set(policies.map(({ group }) => group.id));
  const examples: ProofExample[] = [];
  let flows = 0;
  let denied = 0;
  for (const { flow, conversation } of traffic.flows()) {
    if (!tookPlace(conversation)) continue;
    flows += 1;
    const ends = { egress: conversation.source.id, ingress: conversation.destination.id };
    const against = (['egress', 'ingress'] as const).flatMap((direction) => {
      const side = subjects.has(ends[direction]) ? sideOf(ends[direction], direction, flow) : null;
      return side?.verdict === 'deny' ? [{ direction, side }] : [];
    });
    const [first] = against;
    if (first === undefined) continue;
    denied += 1;
    const { direction, side } = first;
    if (examples.length < MAX_EXAMPLES) examples.push(exampleOf(formatQuestion(flow), direction, side));
  }
  return { flows, denied, examples };
}

function probe({ policies, traffic, units, maxProbes }: ProofInput, sideOf: Sides): ProbeCount {
  const count = { probes: 0, denied: 0, widened: 0, unexplained: 0 };
  const examples: ProofExample[] = [];
  for (const { policy, direction, flow, expected } of probesOf(policies, traffic.conversations(), units, maxProbes)) {
    if (expected === 'observed') continue;
    count.probes += 1;
    const side = sideOf(policy.group.id, direction, flow);
    if (side?.verdict !== 'allow') count.denied += 1;
    else if (expected === 'widened') count.widened += 1;
    else {
      count.unexplained += 1;
      if (examples.length < MAX_EXAMPLES) examples.push(exampleOf(formatQuestion(flow), direction, side));
    }
  }
  return { ...count, examples };
}

function exampleOf(flow: FlowText, direction: Direction, { trace }: Side): ProofExample {
  const entry = trace.at(-1);
  return { flow, direction, rule: entry === undefined ? 'nothing' : formatEntry(entry) };
}

function byKey(policies: readonly Policy[]): Map<string, Policy> {
  return new Map(policies.map((policy) => [policy.key, policy]));
}
