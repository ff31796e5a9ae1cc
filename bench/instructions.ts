// Instruction counts of the programs: what every packet's path is made of, as compiled, as the verifier followed it, and
// as machine code. Unlike times they are the same on every run, so that `npm run check` can hold the programs to them.
import { readFileSync } from 'node:fs';
import { builtFile, loadNative } from '../src/kernel/native.ts';
import { ENTRY, type ProgramCounts, readVerifierLog } from './instructions-log.ts';
import { functionSizes } from './instructions-object.ts';
import type { BenchResult } from './results.ts';
import type { BenchRun } from './run.ts';

/**
 * The path of established flows is a program's own code; what only other packets need is in global functions, which the
 * verifier follows apart from it. `new-flow` is all of those together.
 */
const ESTABLISHED = 'established';
const NEW_FLOW = 'new-flow';

interface Counted {
  readonly object: string;
  readonly programs: readonly string[];
}

export const COUNTED: readonly Counted[] = [
  { object: 'build/bpf/workload.bpf.o', programs: ['tt_from_work', 'tt_to_work'] },
  { object: 'build/bpf/guard.bpf.o', programs: ['tt_guard'] },
];

/** States and instructions of every way: what the counts by function are made from. */
const LOG_LEVEL = 2;

export async function benchInstructions({ progress }: BenchRun): Promise<BenchResult[]> {
  return [...compiledRows(), ...loadedRows(progress)];
}

/** From the objects alone. */
export function compiledRows(): BenchResult[] {
  return COUNTED.flatMap(({ object, programs }) => {
    const sizes = functionSizes(readFileSync(builtFile(object)));
    const entries = new Map([...sizes].filter(([name]) => programs.includes(name)));
    const others = new Map([...sizes].filter(([name]) => name !== 'tt_clock' && !programs.includes(name)));
    return [
      ...[...entries].map(([program, size]) => row('compiled', { program, path: ESTABLISHED }, size)),
      ...[...others].map(([name, size]) => row('compiled-function', { function: name }, size)),
      ...(others.size === 0 ? [] : [row('compiled', { object, path: NEW_FLOW }, sum(others.values()))]),
    ];
  });
}

/** From the kernel: loads every program. Throws PERMISSION, PROGRAM_REJECTED. */
export function loadedRows(progress: (text: string) => void): BenchResult[] {
  return COUNTED.flatMap(({ object, programs }) => {
    progress(`instructions: ${object}`);
    const loaded = loadNative().BpfObject.open(builtFile(object), { logLevel: LOG_LEVEL });
    try {
      const counts = readVerifierLog(loaded.log).filter(({ program }) => programs.includes(program));
      return counts.flatMap((count) => [
        ...verifiedRows(count),
        row('jited', { program: count.program }, loaded.program(count.program).info.jitedBytes, 'bytes'),
      ]);
    } finally {
      loaded.close();
    }
  });
}

function verifiedRows({ program, processed, functions }: ProgramCounts): BenchResult[] {
  const total = row('verified', { program, path: 'all' }, processed);
  if (functions === undefined) return [total];
  const established = functions.get(ENTRY) ?? 0;
  const rows = [row('verified', { program, path: ESTABLISHED }, established)];
  if (processed > established) rows.push(row('verified', { program, path: NEW_FLOW }, processed - established));
  return [...rows, total];
}

function row(name: string, params: BenchResult['params'], value: number, unit = 'instructions'): BenchResult {
  return { section: 'instructions', name, params, value, unit, spread: 0 };
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
