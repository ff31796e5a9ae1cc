// Headers of answers that are ours, where more than one side has to know them.

/** Of a change that is stored and not in force yet; its answer may be the object alone. */
export const NOT_IN_FORCE_HEADER = 'x-tortie-not-in-force';
