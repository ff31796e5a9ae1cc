import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../../src/agent/offline.ts';
import { filterProgram } from '../../../../src/analysis/render/filter-program.ts';
import { renderIptables, renderNftables } from '../../../../src/analysis/render/render.ts';
import { SetMembers } from '../../../../src/analysis/render/set-members.ts';
import { DataplaneError } from '../../../../src/base/errors.ts';
import type { DesiredState } from '../../../../src/calc/resolved.ts';
import type { Family } from '../../../../src/model/address.ts';
import type { Flow } from '../../../../src/model/flow.ts';
import { ReferenceEvaluator } from '../../../../src/model/reference/evaluator.ts';
import type { World } from '../../../../src/model/world.ts';
import {
  describeFlow,
  describeVerdict,
  newSeed,
  questionOf,
  textOf,
  worldOf,
} from '../../../support/worlds/questions.ts';
import { iptablesMachine } from './iptables-machine.ts';
import { nftablesMachine } from './nftables-machine.ts';
import { ENTRY, programMachine } from './program-machine.ts';
import { type MachineChains, type MachineVerdict, runMachine } from './rule-machine.ts';

const WORLDS = 150;
const FLOWS = 150;

type Machines = Readonly<Record<Family, MachineChains>>;

function verdictIn(machines: Machines, entry: string, flow: Flow): MachineVerdict {
  const chains = machines[flow.source.family];
  return chains.size === 0 ? { verdict: 'allow', isLogged: false } : runMachine(chains, entry, flow);
}

const subjects: readonly { name: string; entry: string; machines: (desired: DesiredState) => Machines }[] = [
  ...(['linear', 'sets'] as const).map((style) => ({
    name: `${style} program`,
    entry: ENTRY,
    machines: (desired: DesiredState): Machines => {
      const members = new SetMembers(desired.prefixes.values());
      const of = (family: Family): MachineChains =>
        programMachine(filterProgram(desired, family, members, { style, conntrack: true }, () => undefined));
      return { 4: of(4), 6: of(6) };
    },
  })),
  {
    name: 'text for iptables',
    entry: 'FORWARD',
    machines: (desired) => {
      const { ipv4, ipv6 } = renderIptables(desired, { conntrack: false });
      const of = (text: string): MachineChains => (text === '' ? new Map() : iptablesMachine(text));
      return { 4: of(ipv4), 6: of(ipv6) };
    },
  },
  ...(['linear', 'sets'] as const).map((style) => ({
    name: `text for nftables, ${style}`,
    entry: 'forward',
    machines: (desired: DesiredState): Machines => {
      const text = renderNftables(desired, { style, conntrack: true });
      return { 4: nftablesMachine(text, 4), 6: nftablesMachine(text, 6) };
    },
  })),
];

/** What the model says when a verdict is asked of a packet filter: a later end's rules do not see what an earlier drops. */
function expectedOf(model: ReferenceEvaluator, flow: Flow): MachineVerdict {
  const { verdict, egress, ingress } = model.evaluate(flow);
  const isIngressLogged = egress?.verdict !== 'deny' && ingress?.isLogged === true;
  return { verdict, isLogged: egress?.isLogged === true || isIngressLogged };
}

describe('rendered rules', () => {
  it.each(subjects)('$name means what the model says', { timeout: 120_000 }, ({ name, entry, machines }) => {
    const seed = newSeed(`render ${name}`);
    let judged = 0;
    let denied = 0;
    let refused = 0;
    for (let index = 0; index < WORLDS; index++) {
      const { manifests, flows } = questionOf(seed, index, FLOWS);
      const world = worldOf(manifests);
      const rendered = tryRender(world, machines);
      if (rendered === undefined) {
        refused += 1;
        continue;
      }
      const model = new ReferenceEvaluator(world);
      for (const flow of flows) {
        const [expected, found] = [expectedOf(model, flow), verdictIn(rendered, entry, flow)];
        if (expected.verdict !== found.verdict || expected.isLogged !== found.isLogged) {
          const lines = [describeFlow(flow), describeVerdict(model.evaluate(flow)), JSON.stringify(found)];
          throw new Error(
            `world ${index} of seed ${seed}\n${manifests.map(textOf).join('\n---\n')}\n${lines.join('\n')}`,
          );
        }
        judged += 1;
        if (found.verdict === 'deny') denied += 1;
      }
    }
    console.info(`${name}: ${judged} flows, ${denied} denied, ${refused} of ${WORLDS} worlds cannot be rendered`);
    expect(denied).toBeGreaterThan(judged / 10);
    expect(judged - denied).toBeGreaterThan(judged / 20);
    expect(refused).toBeLessThan(WORLDS / 2);
  });
});

function tryRender(world: World, machines: (desired: DesiredState) => Machines): Machines | undefined {
  try {
    return machines(desiredStateOf(world, '*'));
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'NOT_EXPRESSIBLE') return undefined;
    throw error;
  }
}
