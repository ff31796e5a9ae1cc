// What outlives tables: flows are hashed with a seed and bear the generation that judged them, whichever tables come next.

export interface Lasting {
  /** The highest that was given out: none that comes is a flow's already. */
  lastGeneration: number;
  /** Two words that may be written; both zero = not drawn yet. */
  readonly flowSeed: Uint32Array;
}

/** For tables that nothing comes after. */
export function lastingNothing(): Lasting {
  return { lastGeneration: 0, flowSeed: new Uint32Array(2) };
}
