// What there is to fuzz in C: where its corpus lies, what it is told by, how its packets end. How it is run is in target.ts.
import { Reason } from '../../src/abi/event.gen.ts';
import { exportGuardTables } from './export-guard.ts';
import { exportWorld } from './export-world.ts';
import type { TargetName } from './harness.ts';

export interface FuzzTarget {
  readonly name: TargetName;
  /** Relative to the root. */
  readonly corpus: string;
  /** Numbers of ends, by name. */
  readonly ends: Readonly<Record<string, number>>;
  /** File number `index` of a seed for the fuzzer, and a line about it. */
  readonly exportFile: (seed: number, index: number) => { readonly content: Uint8Array; readonly summary: string };
}

export const GUARD_ENDS = { PASSED: 0, DROP_SOURCE: 1, DROP_HOLE: 2 } as const;

export const TARGETS: Readonly<Record<TargetName, FuzzTarget>> = {
  stages: {
    name: 'stages',
    corpus: 'test/fuzz/corpus/stages',
    ends: Reason,
    exportFile: (seed, index) => {
      const { content, endpoints, answers } = exportWorld(seed, index);
      return { content, summary: `${endpoints} endpoints, ${answers} answers of the reference evaluator` };
    },
  },
  guard: {
    name: 'guard',
    corpus: 'test/fuzz/corpus/guard',
    ends: GUARD_ENDS,
    exportFile: (seed, index) => {
      const { content, prefixes } = exportGuardTables(seed, index);
      return { content, summary: `two tables of ${prefixes} prefixes` };
    },
  },
};
