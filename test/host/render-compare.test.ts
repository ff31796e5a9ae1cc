// tortie bench on a real machine: everybody agrees on the example's policy, a decider with another policy is named, and
// nothing of it stays, not even after an interruption.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { desiredStateOf, loadManifests } from '../../src/agent/offline.ts';
import { runCommand } from '../../src/bench/command.ts';
import { type CompareOptions, compareDeciders } from '../../src/bench/compare.ts';
import { COMPARED } from '../../src/bench/compare-deciders.ts';
import { takeArenaTurn } from './support/arena-turn.ts';

const MANIFESTS = 'examples/three-tier/manifests';
const OTHER_MANIFESTS = 'examples/diff/before';
const OPTIONS: CompareOptions = { names: COMPARED, flows: 120, endpoints: 8, rounds: 1, onProgress: () => undefined };

takeArenaTurn();

const { world } = loadManifests(MANIFESTS);
const desired = desiredStateOf(world, '*');

function namespacesLeft(): string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith('tortie-bench-'));
}

async function ownRules(): Promise<string> {
  const { stdout: rules } = await runCommand(['nft', 'list', 'ruleset']);
  const { stdout: links } = await runCommand(['ip', '-brief', 'link']);
  return rules + links;
}

describe('tortie bench', () => {
  it('finds that all deciders agree, measures each, and leaves nothing', async () => {
    const before = await ownRules();
    const { rows, flows, endpoints } = await compareDeciders(
      world,
      { desired, manifests: MANIFESTS, node: '*' },
      OPTIONS,
    );
    expect(rows.map(({ name }) => name)).toEqual([...COMPARED]);
    expect(rows.every(({ nsPerPacket, loss }) => nsPerPacket > 0 && loss < 0.5)).toBe(true);
    expect(endpoints).toEqual({ taken: 3, leftOut: 0 });
    expect(flows.allowed).toBeGreaterThan(10);
    expect(flows.denied).toBeGreaterThan(10);
    expect(namespacesLeft()).toEqual([]);
    expect(await ownRules()).toBe(before);
  });

  it('names the flow and who said what when one decider has another policy', async () => {
    const policy = { desired, manifests: OTHER_MANIFESTS, node: '*' };
    const options: CompareOptions = { ...OPTIONS, names: ['none', 'tortie', 'nft-set'] };
    await expect(compareDeciders(world, policy, options)).rejects.toMatchObject({
      code: 'VERDICTS_DIFFER',
      target: expect.stringMatching(/^flow \{"src":/),
      found: expect.stringMatching(/^tortie: (allow|deny), nft-set: (allow|deny)$/),
    });
    expect(namespacesLeft()).toEqual([]);
  });

  it('removes everything when it is interrupted', async () => {
    const child = spawn(process.execPath, ['dist/cli/main.js', 'bench', '--manifests', MANIFESTS], { stdio: 'ignore' });
    await vi.waitFor(() => expect(namespacesLeft().length).toBeGreaterThan(2), { timeout: 30_000, interval: 50 });
    child.kill('SIGINT');
    const [, signal] = await once(child, 'close');
    expect(signal).toBe('SIGINT');
    expect(namespacesLeft()).toEqual([]);
  });
});
