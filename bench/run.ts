// What every section of the benchmark is given, and what it gives back.
import type { BenchResult } from './results.ts';

export interface BenchRun {
  /** Rounds of a measurement that takes seconds; slower ones take fewer, in proportion. */
  readonly rounds: number;
  /** Smaller sizes and fewer rounds, for a look. */
  readonly isQuick: boolean;
  /** One line on the terminal about what is measured next. */
  readonly progress: (text: string) => void;
  /** Undone when the run ends, however it ends, last first: namespaces, pins, folders. */
  readonly onEnd: (undo: () => void) => void;
}

/** Measures one section. Throws when what is measured does not do what it is measured for. */
export type BenchSection = (run: BenchRun) => Promise<readonly BenchResult[]>;
