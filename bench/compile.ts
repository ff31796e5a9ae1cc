// Milliseconds that tables take from a change: TableCompiler alone, without parsing, resolving or writing to the kernel.
import { isLocalNode } from '../src/agent/options.ts';
import { CalcGraph } from '../src/calc/graph.ts';
import { ModelStore } from '../src/model/build-world.ts';
import type { Resource } from '../src/resources/resource.ts';
import { TableCompiler } from '../src/tables/compiler.ts';
import { type CompileScale, compileWorld, EDITS, type EditKind, editOf, LOCAL_NODE } from './compile-world.ts';
import { type BenchResult, summarize } from './results.ts';
import type { BenchRun } from './run.ts';
import { type Family, verdictWorld } from './verdict-world.ts';

const SECTION = 'compile';
const EDIT_SCALES: readonly CompileScale[] = [1000, 3000, 10_000].map((policies) => ({ policies, endpoints: 100 }));
const QUICK_SCALES: readonly CompileScale[] = [{ policies: 1000, endpoints: 100 }];
const BIG_POLICIES = [100, 1000, 12_500, 100_000];
const FAMILIES: readonly Family[] = [4, 6];
/** Edits of each kind for each round, so that the slowest of a hundred is known. */
const EDITS_PER_ROUND = 20;
const WARM_UP = 40;
const P99 = 0.99;

export async function benchCompile({ rounds, isQuick, progress }: BenchRun): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const scale of isQuick ? QUICK_SCALES : EDIT_SCALES) {
    progress(`compile: edits of ${scale.policies} policies`);
    results.push(...measureEdits(scale, rounds));
  }
  for (const rules of isQuick ? BIG_POLICIES.slice(0, -1) : BIG_POLICIES) {
    for (const family of FAMILIES) {
      progress(`compile: ${rules} rules, IPv${family}`);
      results.push(measureBigPolicy(family, rules, Math.max(3, Math.ceil(rounds / 4))));
    }
  }
  return results;
}

/** A node that follows a cluster. */
class Node {
  readonly #store = new ModelStore();
  readonly #graph = new CalcGraph(isLocalNode(LOCAL_NODE));
  readonly #compiler = new TableCompiler();

  constructor(resources: Iterable<Resource>) {
    for (const objects of Object.values(this.#store.world)) this.#graph.apply(objects.values(), []);
    this.change(resources);
  }

  /** Milliseconds of the compile. */
  change(resources: Iterable<Resource>): number {
    const change = this.#store.apply(resources, []);
    this.#graph.apply(change.changed, change.removed);
    const desired = this.#graph.flush();
    const start = performance.now();
    this.#compiler.compile(desired);
    const milliseconds = performance.now() - start;
    this.#compiler.retireOlderImages();
    return milliseconds;
  }
}

/** Kinds of edits in turn, so that a noisy machine disturbs all alike. */
function measureEdits(scale: CompileScale, rounds: number): BenchResult[] {
  const node = new Node(compileWorld(scale));
  const samples = new Map<EditKind, number[]>(EDITS.map((kind) => [kind, []]));
  for (let turn = 0; turn < WARM_UP + rounds * EDITS_PER_ROUND; turn += 1) {
    for (const kind of EDITS) {
      const milliseconds = node.change(editOf(kind, turn, scale));
      if (turn >= WARM_UP) samples.get(kind)?.push(milliseconds);
    }
  }
  const all = [...samples.values()].flat();
  return [
    resultOf('edit', { ...scale }, all),
    { ...resultOf('edit-p99', { ...scale }, all), value: round(quantile(all, P99)) },
    ...EDITS.map((kind) => resultOf(`edit-${kind}`, { ...scale }, samples.get(kind) ?? [])),
  ];
}

function measureBigPolicy(family: Family, rules: number, rounds: number): BenchResult {
  const desired = verdictWorld(family, rules);
  const samples: number[] = [];
  for (let count = 0; count < rounds; count += 1) {
    const compiler = new TableCompiler();
    const start = performance.now();
    compiler.compile(desired);
    samples.push(performance.now() - start);
  }
  return resultOf('big-policy', { family, rules }, samples);
}

function resultOf(name: string, params: BenchResult['params'], samples: readonly number[]): BenchResult {
  const { median, spread } = summarize(samples);
  return { section: SECTION, name, params, value: round(median), unit: 'ms', spread: round(spread) };
}

function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] as number;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
