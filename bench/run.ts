// What every section of the benchmark is given, and what it gives back.
import type { BenchResult } from './results.ts';

export interface BenchRun {
  /** Rounds of a measurement that takes seconds; slower ones take fewer, in proportion. */
  readonly rounds: number;
  /** Smaller sizes and fewer rounds, for a look. */
  readonly isQuick: boolean;
  /** One line on the terminal about what is measured next. */
  readonly progress: (text: string) => void;
  /**
   * Undone when the section ends, however it ends, last first: namespaces, pins, folders. A section that sets up such
   * things must await something now and then: ^C is heard only then, and ends the run without undoing until something
   * is registered here.
   */
  readonly onEnd: (undo: () => unknown) => void;
}

/** Measures one section. Throws when what is measured does not do what it is measured for. */
export type BenchSection = (run: BenchRun) => Promise<readonly BenchResult[]>;
