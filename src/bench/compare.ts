// One policy, several deciders side by side: first that all of them judge the same flows as the model does, then what
// a packet costs each. Rules act in the arenas' own namespaces only.
import { DataplaneError } from '../base/errors.ts';
import { type Flow, PROTOCOL } from '../model/flow.ts';
import { formatQuestion } from '../model/flow-question.ts';
import { ReferenceEvaluator } from '../model/reference/evaluator.ts';
import type { World } from '../model/world.ts';
import type { Arena } from './arena.ts';
import { nsPerPacket, type SentFlow } from './arena-spec.ts';
import { type ComparedName, type ComparedPolicy, deciderOf, requirePrograms } from './compare-deciders.ts';
import { boundaryFlows, OUTSIDE } from './compare-flows.ts';
import { type Guests, guestsOf } from './compare-guests.ts';
import { openArena } from './deciders.ts';
import { Traffic } from './traffic.ts';

export interface CompareOptions {
  /** `none` among them. */
  readonly names: readonly ComparedName[];
  /** How many flows are judged at most. */
  readonly flows: number;
  /** How many endpoints take part at most. */
  readonly endpoints: number;
  readonly rounds: number;
  /** Told what is being done. */
  readonly onProgress: (text: string) => void;
}

export interface ComparedRow {
  readonly name: ComparedName;
  /** Median of the rounds. */
  readonly nsPerPacket: number;
  /** Half the distance between the quartiles. */
  readonly spread: number;
  /** Its cost to that of `none` in the same round, median. */
  readonly ratioToNone: number;
  /** Part of the packets sent that did not arrive, at worst. */
  readonly loss: number;
}

export interface Comparison {
  readonly endpoints: { readonly taken: number; readonly leftOut: number };
  /** Judged by everybody, with one answer. */
  readonly flows: { readonly allowed: number; readonly denied: number };
  /** Flows whose packets were measured, all allowed. */
  readonly measured: readonly Flow[];
  readonly rows: readonly ComparedRow[];
}

interface JudgedFlow extends SentFlow {
  /** Guest where it must arrive; undefined = nowhere. */
  readonly expected: string | undefined;
}

interface Lane {
  readonly name: ComparedName;
  readonly arena: Arena;
  readonly traffic: Traffic;
}

/** For each flow that is kept, this many are drawn: boundaries are mostly between denied and denied. */
const DRAWN_PER_FLOW = 4;
const MEASURED_FLOWS = 16;
const WARM_UP_PACKETS = 2000;
const SAMPLE_NS = 250e6;
const MAX_PACKETS = 200_000;

/**
 * Compares on this machine. Throws PERMISSION without root, NOT_FOUND for a missing program, NOT_EXPRESSIBLE,
 * VERDICTS_DIFFER naming the flow and who said what, USAGE for a policy with nothing to compare.
 */
export async function compareDeciders(
  world: World,
  policy: ComparedPolicy,
  options: CompareOptions,
): Promise<Comparison> {
  const { names, onProgress } = options;
  await requirePrograms(names);
  const guests = guestsOf(policy.desired, options.endpoints);
  const drawn = judgedFlows(world, policy, guests, options.flows);
  const lanes: Lane[] = [];
  try {
    for (const name of names) {
      onProgress(`loading the policy: ${name}`);
      lanes.push(await openLane(name, policy, guests));
    }
    const flows = await agreedFlows(lanes, drawn, onProgress);
    const measured = flowsToMeasure(flows);
    const rows = await measureLanes(lanes, measured, options);
    const allowed = flows.filter(({ expected }) => expected !== undefined).length;
    return {
      endpoints: { taken: guests.specs.length - 1, leftOut: guests.leftOut },
      flows: { allowed, denied: flows.length - allowed },
      measured: measured.map(({ flow }) => flow),
      rows,
    };
  } finally {
    await Promise.all(lanes.map(({ arena }) => arena.close()));
  }
}

async function openLane(name: ComparedName, policy: ComparedPolicy, { specs }: Guests): Promise<Lane> {
  const arena = await openArena(specs, deciderOf(name, policy));
  return { name, arena, traffic: Traffic.open(arena) };
}

/** Half of them allowed where there are as many. */
function judgedFlows(world: World, { desired, node }: ComparedPolicy, { specs }: Guests, count: number): JudgedFlow[] {
  const model = new ReferenceEvaluator(world, (endpoint) => node === '*' || endpoint.node === node);
  const judged = boundaryFlows(desired, specs, count * DRAWN_PER_FLOW).map((sent): JudgedFlow => {
    const isAllowed = model.evaluate(sent.flow).verdict === 'allow';
    return { ...sent, expected: isAllowed ? (model.endpointAt(sent.flow.destination)?.key ?? OUTSIDE) : undefined };
  });
  const allowed = judged.filter(({ expected }) => expected !== undefined);
  const denied = judged.filter(({ expected }) => expected === undefined);
  const half = Math.max(Math.ceil(count / 2), count - denied.length);
  const kept = allowed.slice(0, half);
  return [...kept, ...denied.slice(0, count - kept.length)];
}

/** The flows on which all lanes agree with the model, which are all that the machine itself carries. */
async function agreedFlows(
  lanes: readonly Lane[],
  drawn: readonly JudgedFlow[],
  onProgress: CompareOptions['onProgress'],
): Promise<JudgedFlow[]> {
  const answers = new Map<ComparedName, (string | undefined)[]>();
  for (const { name, traffic } of lanes) {
    onProgress(`judging ${drawn.length} flows: ${name}`);
    answers.set(name, await traffic.arrivals(drawn));
  }
  const carried = answers.get('none') ?? [];
  const flows = [...drawn.entries()].filter(([index]) => carried[index] !== undefined);
  for (const [index, { flow, expected }] of flows) {
    const others = [...answers].filter(([name]) => name !== 'none');
    if (others.every(([, arrived]) => arrived[index] === expected)) continue;
    const said = others.map(([name, arrived]) => `${name}: ${answerText(arrived[index], expected)}`);
    throw new DataplaneError('VERDICTS_DIFFER', 'deciders disagree, so their costs cannot be compared', {
      operation: 'judge',
      target: `flow ${JSON.stringify(formatQuestion(flow))}`,
      found: said.join(', '),
      expected: `${expected === undefined ? 'deny' : 'allow'} as the model says`,
      hint: 'tortie trace explains the verdict; please report this',
    });
  }
  return flows.map(([, judged]) => judged);
}

function answerText(arrived: string | undefined, expected: string | undefined): string {
  if (arrived === undefined) return 'deny';
  return arrived === expected || expected === undefined ? 'allow' : `allow, but to ${arrived}`;
}

/** Allowed ones; a TCP packet here asks for a new connection, which is not what most packets do: others first. */
function flowsToMeasure(flows: readonly JudgedFlow[]): JudgedFlow[] {
  const allowed = flows.filter(({ expected }) => expected !== undefined);
  for (const protocols of [[PROTOCOL.UDP], [PROTOCOL.SCTP, PROTOCOL.UDPLITE], [PROTOCOL.TCP]] as const) {
    const found = allowed.filter(({ flow }) => (protocols as readonly number[]).includes(flow.protocol));
    if (found.length > 0) return found.slice(0, MEASURED_FLOWS);
  }
  if (allowed.length > 0) return allowed.slice(0, MEASURED_FLOWS);
  throw new DataplaneError('USAGE', 'nothing to measure: the policy allows none of the flows at its boundaries', {
    operation: 'compare',
    target: 'policy',
    found: `${flows.length} flows, all denied`,
    hint: 'endpoints need an address and an interface to take part',
  });
}

/** Rounds over all lanes in turn; the first one warms up and finds out how many packets make a sample. */
async function measureLanes(
  lanes: readonly Lane[],
  flows: readonly SentFlow[],
  { rounds, onProgress }: CompareOptions,
): Promise<ComparedRow[]> {
  const packets = new Map<ComparedName, number>();
  const costs = new Map<ComparedName, number[]>(lanes.map(({ name }) => [name, []]));
  const losses = new Map<ComparedName, number>();
  for (const { name, traffic } of lanes) {
    const ns = nsPerPacket(await traffic.measure(flows, WARM_UP_PACKETS));
    packets.set(name, Math.round(Math.min(MAX_PACKETS, Math.max(WARM_UP_PACKETS, SAMPLE_NS / ns))));
  }
  for (let round = 1; round <= rounds; round += 1) {
    onProgress(`measuring: round ${round} of ${rounds}`);
    for (const { name, traffic } of lanes) {
      const sample = await traffic.measure(flows, packets.get(name) as number);
      costs.get(name)?.push(nsPerPacket(sample));
      losses.set(name, Math.max(losses.get(name) ?? 0, 1 - sample.arrived / sample.sent));
    }
  }
  const none = costs.get('none') as number[];
  return [...costs].map(([name, all]) => ({
    name,
    nsPerPacket: quantile(all, 0.5),
    spread: (quantile(all, 0.75) - quantile(all, 0.25)) / 2,
    ratioToNone: quantile(
      all.map((ns, round) => ns / (none[round] as number)),
      0.5,
    ),
    loss: losses.get(name) as number,
  }));
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}
