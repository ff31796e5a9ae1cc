// The door `npm run soak -- --minutes N`: hours of changes, connections and kills, and what they leave behind. Prints a line for each
// sample and the report at the end; fails if anything grows or any packet is judged wrongly.
import { findProblems, renderSoak } from './report.ts';
import type { Sample } from './sample.ts';
import { soak } from './soak.ts';

const USAGE = 'usage: npm run soak -- [--minutes N]   (30 unless told; 1440 is a day)\n';
const BAD = 1;
const MISUSED = 2;

function readMinutes(words: readonly string[]): number | undefined {
  if (words.length === 0) return 30;
  const [flag, text = ''] = words;
  return words.length === 2 && flag === '--minutes' && Number(text) > 0 ? Number(text) : undefined;
}

function sampleLine(sample: Sample): string {
  const values = Object.entries(sample).map(([name, value]) => `${name}=${Number((value as number).toFixed(3))}`);
  return `soak: ${values.join(' ')}\n`;
}

async function run(): Promise<number> {
  const minutes = readMinutes(process.argv.slice(2));
  if (minutes === undefined) {
    process.stderr.write(USAGE);
    return MISUSED;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('soak: network namespaces and eBPF need root; run: sudo npm run soak\n');
    return BAD;
  }
  try {
    const outcome = await soak({ minutes, onSample: (sample) => process.stdout.write(sampleLine(sample)) });
    process.stdout.write(`\n${renderSoak(outcome)}`);
    return findProblems(outcome).length === 0 ? 0 : BAD;
  } catch (error) {
    process.stderr.write(`soak: ${(error as Error).message}\n`);
    return BAD;
  }
}

process.exitCode = await run();
