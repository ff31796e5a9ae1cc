// Rendered rules in the kernel: iptables-restore and nft take the text as it is, and of real packets through a router
// with these rules exactly those arrive that the model allows.
import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { renderIptables, renderNftables } from '../../src/analysis/render/render.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import type { Decider, GuestSpec, SentFlow } from '../../src/bench/arena-spec.ts';
import { runCommand } from '../../src/bench/command.ts';
import { isForwardable, isReadAlike, OUTSIDE } from '../../src/bench/compare-flows.ts';
import { openArena } from '../../src/bench/deciders.ts';
import { Traffic } from '../../src/bench/traffic.ts';
import type { DesiredState } from '../../src/calc/resolved.ts';
import { formatAddress } from '../../src/model/address.ts';
import type { Flow } from '../../src/model/flow.ts';
import { isLinkScopeDiscovery } from '../../src/model/link-scope.ts';
import { ReferenceEvaluator } from '../../src/model/reference/evaluator.ts';
import type { World } from '../../src/model/world.ts';
import { describeFlow, describeVerdict, newSeed, questionOf, worldOf } from '../support/worlds/questions.ts';
import { takeArenaTurn } from './support/arena-turn.ts';

takeArenaTurn();

const WORLDS = 6;
const FLOWS_PER_WORLD = 400;

const deciders: readonly { name: string; render: (desired: DesiredState) => Decider }[] = [
  { name: 'iptables', render: (desired) => ({ kind: 'iptables', ...renderIptables(desired, { conntrack: false }) }) },
  { name: 'nftables, linear', render: (desired) => nftables(desired, 'linear') },
  { name: 'nftables, sets', render: (desired) => nftables(desired, 'sets') },
];

function nftables(desired: DesiredState, style: 'linear' | 'sets'): Decider {
  return { kind: 'nftables', text: renderNftables(desired, { style, conntrack: false }) };
}

function guestsIn(world: World): GuestSpec[] {
  const owners = [...world.workloadEndpoints.values()].map(
    ({ key, addresses }, index): GuestSpec => ({
      name: key,
      hostInterface: `guest${index}`,
      addresses: addresses.map(formatAddress),
      namespace: 'guests',
    }),
  );
  return [...owners, { name: OUTSIDE, hostInterface: 'outside', addresses: [], namespace: 'guests', isOutside: true }];
}

/** What a router carries from one interface to another, with an endpoint at one end of it. */
function sentFlows(model: ReferenceEvaluator, flows: readonly Flow[]): SentFlow[] {
  return flows.flatMap((flow) => {
    const [sender, receiver] = [model.endpointAt(flow.source), model.endpointAt(flow.destination)];
    if (sender === receiver || isLinkScopeDiscovery(flow) || !isReadAlike(flow, flow.source.family)) return [];
    if (!isForwardable(flow.source) || !isForwardable(flow.destination)) return [];
    return [{ from: sender?.key ?? OUTSIDE, flow }];
  });
}

async function arrivals(
  guests: readonly GuestSpec[],
  decider: Decider,
  flows: readonly SentFlow[],
): Promise<(string | undefined)[]> {
  const arena = await openArena(guests, decider);
  try {
    return await Traffic.open(arena).arrivals(flows);
  } finally {
    await arena.close();
  }
}

function tryRender(render: () => Decider): Decider | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'NOT_EXPRESSIBLE') return undefined;
    throw error;
  }
}

describe('rendered rules in the kernel', () => {
  it.each(deciders)('$name lets pass what the model allows, and nothing else', async ({ name, render }) => {
    const seed = newSeed(`render in the kernel, ${name}`);
    const counts = { allowed: 0, denied: 0 };
    for (let index = 0; index < WORLDS; index++) {
      const { manifests, flows } = questionOf(seed, index, FLOWS_PER_WORLD);
      const world = worldOf(manifests);
      const decider = tryRender(() => render(desiredStateOf(world, '*')));
      if (decider === undefined) continue;
      const model = new ReferenceEvaluator(world);
      const guests = guestsIn(world);
      const sent = sentFlows(model, flows);
      // What no firewall lets through either, the kernel itself drops: it says nothing about rules.
      const open = await arrivals(guests, { kind: 'none' }, sent);
      const carried = sent.filter((_, at) => open[at] !== undefined);
      const found = await arrivals(guests, decider, carried);
      for (const [at, { flow }] of carried.entries()) {
        const verdict = model.evaluate(flow);
        const expected = verdict.verdict === 'allow' ? (model.endpointAt(flow.destination)?.key ?? OUTSIDE) : undefined;
        if (expected === undefined) counts.denied += 1;
        else counts.allowed += 1;
        expect(found[at], `world ${index}: ${describeFlow(flow)} ${describeVerdict(verdict)}`).toBe(expected);
      }
    }
    console.info(`${name}: ${counts.allowed} flows arrived, ${counts.denied} did not, as the model has it`);
    expect(counts.allowed).toBeGreaterThan(50);
    expect(counts.denied).toBeGreaterThan(50);
  });

  // Rules are measured under the one that walks them itself; many machines have only the one that translates them.
  it.each(['iptables-restore', 'iptables-legacy-restore', 'iptables-nft-restore'])(
    '%s takes the text',
    async (program) => {
      const seed = newSeed(`render for ${program}`);
      for (let index = 0; index < WORLDS; index++) {
        const desired = desiredStateOf(worldOf(questionOf(seed, index, 0).manifests), '*');
        for (const conntrack of [false, true]) {
          const decider = tryRender(() => ({ kind: 'iptables', ...renderIptables(desired, { conntrack }) }));
          if (decider?.kind !== 'iptables') continue;
          await runCommand(['unshare', '--net', program], decider.ipv4);
          await runCommand(['unshare', '--net', program.replace('iptables', 'ip6tables')], decider.ipv6);
        }
      }
    },
  );
});
