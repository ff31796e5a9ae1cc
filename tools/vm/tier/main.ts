// The door `npm run test:vm -- [KERNEL...] [--feature NAME] [--at-once N] [--write]`: kernels by features by results.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findProject } from '../../lab/project.ts';
import { VmFailure } from '../failure.ts';
import { kernelsPage } from './document.ts';
import { latestResults } from './latest.ts';
import { ALL_KERNELS } from './plan.ts';
import { runTier } from './run.ts';

process.exit(await main(process.argv.slice(2)));

async function main(parameters: string[]): Promise<number> {
  try {
    return await run(parameters);
  } catch (error) {
    if (!(error instanceof VmFailure)) throw error;
    console.error(`vm: ${error.message}`);
    return 1;
  }
}

async function run(parameters: string[]): Promise<number> {
  const { values, positionals } = readWords(parameters);
  const { passed, failed, report } = await runTier({
    kernels: positionals.length > 0 ? positionals : ALL_KERNELS,
    features: values.feature,
    atOnce: Number(values['at-once']),
  });
  console.log(report.join('\n'));
  if (values.write) writeFileSync(path.join(findProject(), 'docs/kernels.md'), kernelsPage(latestResults(ALL_KERNELS)));
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

function readWords(parameters: string[]) {
  try {
    return parseArgs({
      args: parameters,
      allowPositionals: true,
      options: {
        feature: { type: 'string', multiple: true, default: [] as string[] },
        'at-once': { type: 'string', default: '2' },
        write: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    throw new VmFailure((cause as Error).message, { cause });
  }
}
