import { describe, expect, it } from 'vitest';
import { DataplaneError } from '../../../src/base/errors.ts';
import type { PolicyList } from '../../../src/calc/resolved.ts';
import { cidrOf } from '../../../src/model/address.ts';
import { PROTOCOL } from '../../../src/model/flow.ts';
import { MIN_HEAP_WORDS, TableCompiler } from '../../../src/tables/compiler.ts';
import { HandMadeState, listOf, ruleOf } from './hand-made.ts';

const ROUNDS = 3;

/** A world of one endpoint; each of its rules names a port and a prefix that no other names. */
class GrowingWorld {
  readonly state = new HandMadeState();
  #version = 0;

  constructor() {
    this.setRules(3);
  }

  /** Another policy of so many rules, none of which were there before. */
  setRules(count: number): void {
    this.#version += 1;
    for (const { cidr, sets } of [...this.state.prefixes.values()]) {
      for (const set of [...sets.keys()]) this.state.take(cidr, set);
    }
    const first = this.#version * 20_000;
    for (let index = 0; index < count; index += 1) {
      const word = (((10 + (this.#version % 100)) << 24) | (index << 8)) >>> 0;
      this.state.put(cidrOf({ family: 4, words: [word] }, 24), first + index);
    }
    this.state.setEndpoint('e1', this.#list(first, count), listOf('egress', []));
  }

  #list(first: number, count: number): PolicyList {
    const rules = Array.from({ length: count }, (_, index) => {
      const port = 1 + ((this.#version * 7 + index) % 65_000);
      return ruleOf(index, {
        protocol: PROTOCOL.TCP,
        source: { within: [first + index], without: [] },
        destination: { within: [], without: [], ports: { ranges: [{ first: port, last: port }], named: [] } },
      });
    });
    return listOf('ingress', [{ name: 'p', rules: { version: this.#version, ingress: rules, egress: [] } }]);
  }
}

/** Code of what a compile throws; undefined = it fits. */
function tryCompile(compiler: TableCompiler, { state }: GrowingWorld): string | undefined {
  try {
    compiler.compile(state);
    compiler.retireOlderImages();
    return undefined;
  } catch (error) {
    if (error instanceof DataplaneError) return error.code;
    throw error;
  }
}

describe('a heap of the smallest size', () => {
  const newCompiler = (): TableCompiler => new TableCompiler({ heapWords: MIN_HEAP_WORDS, v6Nodes: 64 });

  it('takes change after change', () => {
    const [compiler, world] = [newCompiler(), new GrowingWorld()];
    for (let round = 0; round < ROUNDS; round += 1) {
      world.setRules(800);
      expect(tryCompile(compiler, world)).toBeUndefined();
    }
  });

  it('refuses what is too much time after time, with the image in force untouched and the next change in force', {
    timeout: 120_000,
  }, () => {
    const [compiler, world] = [newCompiler(), new GrowingWorld()];
    const kept = compiler.compile(world.state);
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = world.state.endpoints.get('e1');
      const words = compiler.heap.regionWords;
      const prefixes = [...world.state.prefixes.values()].map(({ cidr, sets }) => ({ cidr, sets: [...sets.keys()] }));
      world.setRules(6000);
      expect(tryCompile(compiler, world)).toBe('TABLE_FULL');
      world.setRules(0);
      for (const { cidr, sets } of prefixes) for (const set of sets) world.state.put(cidr, set);
      if (before !== undefined) world.state.endpoints.set('e1', before);
      const again = compiler.compile(world.state);
      expect(again.written).toEqual({ heap: [], v6Nodes: [] });
      if (round === 0) expect(again.root).toEqual(kept.root);
      compiler.retireOlderImages();
      expect(compiler.heap.regionWords).toBe(words);
      world.setRules(3 + round);
      expect(tryCompile(compiler, world)).toBeUndefined();
    }
  });

  it('has a way back from whatever it has taken', { timeout: 120_000 }, () => {
    const [compiler, world] = [newCompiler(), new GrowingWorld()];
    compiler.compile(world.state);
    let largest = 0;
    for (let rules = 1000; rules <= 6000; rules += 1000) {
      world.setRules(rules);
      if (tryCompile(compiler, world) === undefined) largest = rules;
      // What was refused may fit behind a smaller one.
      world.setRules(1);
      expect(tryCompile(compiler, world)).toBeUndefined();
    }
    expect(largest).toBeGreaterThan(1000);
  });
});
