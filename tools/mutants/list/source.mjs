// What the agent's own code has to keep, of which only a race would tell. Each entry removes one; unit tests have to notice.
const FLOWS = 'flows';

/** [file, what it is for, before, after, suite]; files are relative to the project. */
export const sourceMutants = [
  [
    'src/agent/flows/flow-log-service.ts',
    'flows of the policy before are described by what it said',
    'const describer = this.#describer.asNow(wordsOfReports(reports));',
    'const describer = this.#describer;',
    FLOWS,
  ],
  [
    'src/observe/flows/flow-describer.ts',
    'words that are held keep what they say',
    'for (const word of words) describer.#traces.set(word, this.#traceOf(word));',
    '',
    FLOWS,
  ],
  [
    'src/observe/flows/flow-describer.ts',
    'ends that are held keep their names',
    'describer.#ends = this.#ends;',
    '',
    FLOWS,
  ],
  [
    'src/agent/flows/flow-log-service.ts',
    'what is held is told before anything newer',
    'this.#turn = this.#turn.then(async () => {',
    'this.#turn.then(async () => {',
    FLOWS,
  ],
  [
    'src/agent/flows/flow-database.ts',
    'a batch that is handed over again is written once',
    'this.#lastSequence <= after;',
    'true;',
    FLOWS,
  ],
  [
    'src/agent/flows/store-hand-over.ts',
    'a batch is kept until the store has it',
    'if (this.#batch !== undefined) return this.#batch;',
    '',
    FLOWS,
  ],
  [
    'src/agent/flows/store-hand-over.ts',
    'a batch that ends the store is given up',
    'batch.failures >= MAX_ATTEMPTS && this.#batch === batch',
    'false',
    FLOWS,
  ],
];
