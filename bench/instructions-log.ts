// The verifier's log of a load at level 2, as counts of instructions that it followed: by program and by function,
// since global functions are followed apart from what calls them. Pure.

/** Name of a program's own code in the counts: everything that is not in a global function. */
export const ENTRY = 'entry';

export interface ProgramCounts {
  readonly program: string;
  /** What the verifier says itself. */
  readonly processed: number;
  /** By global function, and ENTRY; undefined when they do not add up, because this kernel's log is another. */
  readonly functions: ReadonlyMap<string, number> | undefined;
}

const BEGIN = /^libbpf: prog '(\w+)': -- BEGIN PROG LOAD LOG/;
const FUNCTION = /^Validating (\w+)\(\) func#/;
const INSTRUCTION = /^\d+: \([0-9a-f]{2}\) /;
/** The instruction was met in a state that is known to be good: it counts, and ends the way. */
const PRUNED = /^(?:from )?\d+(?: to \d+)?(?: \(.*\))?: safe$/;
const PROCESSED = /^processed (\d+) insns/;

/** One entry for each program whose log is there. */
export function readVerifierLog(log: string): ProgramCounts[] {
  const programs: ProgramCounts[] = [];
  let program = '';
  let functions = new Map<string, number>();
  let current = ENTRY;
  for (const line of log.split('\n')) {
    if (INSTRUCTION.test(line) || PRUNED.test(line)) {
      functions.set(current, (functions.get(current) ?? 0) + 1);
      continue;
    }
    const processed = PROCESSED.exec(line)?.[1];
    if (processed !== undefined) programs.push(countsOf(program, Number(processed), functions));
    const begun = BEGIN.exec(line)?.[1];
    if (begun !== undefined) {
      program = begun;
      functions = new Map();
      current = ENTRY;
    }
    current = FUNCTION.exec(line)?.[1] ?? current;
  }
  return programs;
}

function countsOf(program: string, processed: number, functions: ReadonlyMap<string, number>): ProgramCounts {
  const sum = [...functions.values()].reduce((total, count) => total + count, 0);
  return { program, processed, functions: sum === processed ? functions : undefined };
}
