import { describe, expect, it } from 'vitest';
import { type Difference, findDifference } from '../../../../src/analysis/diff/difference.ts';
import type { Decision } from '../../../../src/analysis/diff/witness.ts';
import { classifyJointly } from '../../../../src/analysis/joint-classes.ts';
import { type Family, formatAddress, type IpAddress } from '../../../../src/model/address.ts';
import { type Flow, hasPorts } from '../../../../src/model/flow.ts';
import { parseFlowQuestion } from '../../../../src/model/flow-question.ts';
import { isLinkScopeDiscovery } from '../../../../src/model/link-scope.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import { formatTrace } from '../../../../src/model/trace.ts';
import type { FlowVerdict } from '../../../../src/model/verdict.ts';
import type { World } from '../../../../src/model/world.ts';
import { L4_BASE } from '../../../../src/tables/layout.ts';
import { SentenceReader } from '../../../support/diff/covers.ts';
import { editedOf } from '../../../support/diff/edits.ts';
import { statesOf } from '../../../support/diff/states.ts';
import { manifestsOf } from '../../../support/worlds/manifests.ts';
import { describeFlow, flowsAmong, newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';
import { surroundingsOf } from '../../../support/worlds/surroundings.ts';

const WORLDS = Number(process.env.TORTIE_DIFF_WORLDS ?? 25);
const FLOWS = 300;
const EDGES = 6;

/** Protocol and numbers of a layer-4 index, the other way round than src/tables/l4-space.ts. */
function serviceAt(index: number): Pick<Flow, 'protocol' | 'destinationPort' | 'icmpType' | 'icmpCode'> {
  const wide = [
    [L4_BASE.TCP, 6],
    [L4_BASE.UDP, 17],
    [L4_BASE.SCTP, 132],
    [L4_BASE.UDPLITE, 136],
    [L4_BASE.ICMP, 1],
    [L4_BASE.ICMPV6, 58],
  ] as const;
  const found = wide.find(([base]) => index >= base && index < base + 65536);
  if (found === undefined) {
    return { protocol: index - L4_BASE.OTHER, destinationPort: 0, icmpType: 0, icmpCode: 0 };
  }
  const [base, protocol] = found;
  const number = index - base;
  return hasPorts(protocol)
    ? { protocol, destinationPort: number, icmpType: 0, icmpCode: 0 }
    : { protocol, destinationPort: 0, icmpType: number >>> 8, icmpCode: number & 255 };
}

/** No host sends IPv6 extension headers as protocols, or from mapped addresses. */
function isPacket({ source, destination, protocol }: Flow): boolean {
  if (source.family === 4) return true;
  const isMapped = ({ words }: IpAddress): boolean => words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return ![0, 43, 44, 60].includes(protocol) && !isMapped(source) && !isMapped(destination);
}

function ownedIn(world: World, family: Family): IpAddress[] {
  return [...world.workloadEndpoints.values()]
    .flatMap(({ addresses }) => addresses)
    .filter((one) => one.family === family);
}

/** Every owned address, one address of each class, some edges; every layer-4 class with every class of source ports. */
function everyKindOfFlow(random: Random, states: ReturnType<typeof statesOf>, edges: readonly IpAddress[]): Flow[] {
  const joint = classifyJointly(states.map(({ desired }) => desired));
  const services = [...joint.l4.examples.values()].map(serviceAt);
  const flows: Flow[] = [];
  for (const family of [4, 6] as const) {
    const owned = states.flatMap(({ world }) => ownedIn(world, family));
    const prefixes = joint.prefixes[family].map(({ cidr }): IpAddress => ({ family, words: cidr.words }));
    const near = random.shuffle(edges.filter((address) => address.family === family)).slice(0, EDGES);
    const all = new Map([...owned, ...prefixes, ...near].map((address) => [formatAddress(address), address]));
    const ownedTexts = new Set(owned.map(formatAddress));
    for (const [from, source] of all) {
      for (const [to, destination] of all) {
        if (!ownedTexts.has(from) && !ownedTexts.has(to)) continue;
        for (const service of services) {
          const ports = hasPorts(service.protocol) ? [...joint.sourcePorts.examples.values()] : [0];
          flows.push(...ports.map((sourcePort) => ({ source, destination, sourcePort, ...service })));
        }
      }
    }
  }
  return flows;
}

interface Judged {
  readonly flow: Flow;
  /** `allow deny`, or empty when nothing changes. */
  readonly change: string;
}

/** What the reference evaluator says of the flows; without those of one endpoint with itself, which pass no policy. */
function judge(flows: readonly Flow[], models: readonly ReferenceEvaluator[]): Judged[] {
  return flows.flatMap((flow): Judged[] => {
    const isOwn = models.some((model) => {
      const sender = model.endpointAt(flow.source);
      return sender !== undefined && sender === model.endpointAt(flow.destination);
    });
    if (isOwn || isLinkScopeDiscovery(flow) || !isPacket(flow)) return [];
    const [was, is] = models.map((model) => model.evaluate(flow).verdict);
    return [{ flow, change: was === is ? '' : `${was} ${is}` }];
  });
}

function lastEntry(verdict: FlowVerdict, { direction }: Decision): string | null {
  const entry = direction === null ? undefined : verdict[direction]?.trace.at(-1);
  return entry === undefined ? null : (formatTrace([entry])[0] as string).slice(2);
}

describe('findDifference', () => {
  it(`says what the reference evaluator says, and nothing else, on ${WORLDS} edits`, { timeout: 1_800_000 }, () => {
    const seed = newSeed('diff == model');
    const told = { flows: 0, sentences: 0, edits: 0 };
    for (let index = 0; index < WORLDS; index += 1) {
      const random = new Random(seed, index);
      const before = manifestsOf(random);
      const after = editedOf(random, before);
      const states = statesOf(before, after);
      const { sentences } = findDifference(states);
      const reader = new SentenceReader(states[0].world, states[1].world);
      const { edges } = surroundingsOf([...before, ...after]);
      const flows = [
        ...everyKindOfFlow(random, states, [...edges[4], ...edges[6]]),
        ...flowsAmong(random, before, FLOWS),
        ...flowsAmong(random, after, FLOWS),
      ];
      for (const { flow, change } of judge(flows, modelsOf(states))) {
        const telling = sentences.filter((sentence) => reader.covers(sentence, flow));
        const said = new Set(telling.map((sentence) => `${sentence.change.before} ${sentence.change.after}`));
        if ([...said].join() !== change) {
          expect([...said].join(), `world ${index}: ${describeFlow(flow)}`).toBe(change);
        }
      }
      told.flows += flows.length;
      told.sentences += sentences.length;
      told.edits += sentences.length > 0 ? 1 : 0;
    }
    console.info(`diff == model: ${JSON.stringify(told)}`);
    expect(told.edits).toBeGreaterThan(0);
  });

  it('proves every sentence with a packet that the reference evaluator judges so', { timeout: 300_000 }, () => {
    const seed = newSeed('diff witnesses');
    for (let index = 0; index < 2 * WORLDS; index += 1) {
      const random = new Random(seed, index);
      const before = manifestsOf(random);
      const states = statesOf(before, editedOf(random, before));
      const [was, is] = modelsOf(states);
      const reader = new SentenceReader(states[0].world, states[1].world);
      for (const sentence of findDifference(states).sentences) {
        const { flow } = parseFlowQuestion(sentence.packet);
        const [first, second] = [was.evaluate(flow), is.evaluate(flow)];
        const about = `world ${index}: ${describeFlow(flow)}`;
        expect({ before: first.verdict, after: second.verdict }, about).toEqual(sentence.change);
        expect(lastEntry(first, sentence.before), about).toBe(sentence.before.rule);
        expect(lastEntry(second, sentence.after), about).toBe(sentence.after.rule);
        expect(reader.covers(sentence, flow), about).toBe(true);
      }
    }
  });

  it('says the same whatever the order of documents', { timeout: 300_000 }, () => {
    const seed = newSeed('diff order');
    for (let index = 0; index < WORLDS; index += 1) {
      const random = new Random(seed, index);
      const before = manifestsOf(random);
      const after = editedOf(random, before);
      const [one, other] = [
        findDifference(statesOf(before, after)),
        findDifference(statesOf(random.shuffle(before), random.shuffle(after))),
      ];
      expect(withoutPlaces(other), `world ${index}`).toEqual(withoutPlaces(one));
    }
  });
});

function modelsOf(states: ReturnType<typeof statesOf>): [ReferenceEvaluator, ReferenceEvaluator] {
  return [new ReferenceEvaluator(states[0].world), new ReferenceEvaluator(states[1].world)];
}

/** Where things are written does depend on the order. */
function withoutPlaces(difference: Difference): unknown {
  return JSON.parse(JSON.stringify(difference, (key, value: unknown) => (key === 'line' ? undefined : value)));
}
