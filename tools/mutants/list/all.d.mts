export interface Mutant {
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly suite: 'packet' | 'wire' | 'guard';
}

export const allMutants: readonly Mutant[];
