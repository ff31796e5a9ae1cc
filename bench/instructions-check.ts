// The part of `npm run check` that keeps the programs short: fails when instruction counts grew past the tolerance. Exit
// code 0 also where some cannot be counted; it then says which and why.
import { DataplaneError } from '../src/base/errors.ts';
import { compiledRows, loadedRows } from './instructions.ts';
import { checkInstructions, hasGrown, readInstructionBaseline, surroundingsHere } from './instructions-baseline.ts';
import { formatComparison } from './report-text.ts';
import type { BenchResult } from './results.ts';

const ACCEPT = 'npm run bench -- instructions --write';

function main(): number {
  const { compared, notes } = checkInstructions(
    [...compiledRows(), ...verifiedHere()],
    readInstructionBaseline(),
    surroundingsHere(),
  );
  for (const note of notes) console.error(`instructions: ${note}`);
  const grown = compared.filter(hasGrown);
  if (grown.length === 0) return 0;
  console.error(`${formatComparison(grown)}\ninstruction counts grew; if the programs are meant to: ${ACCEPT}`);
  return 1;
}

/** None where programs cannot be loaded. */
function verifiedHere(): BenchResult[] {
  try {
    return loadedRows(() => undefined);
  } catch (error) {
    if (!(error instanceof DataplaneError) || (error.code !== 'PERMISSION' && error.code !== 'OBJECT_MISSING'))
      throw error;
    console.error(`instructions: only those of the objects are counted: ${error.message}`);
    return [];
  }
}

process.exitCode = main();
