// The door `npm run test:vm -- [KERNEL...] [--feature NAME] [--at-once N] [--write]`: kernels by features by results.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePeer } from '../../lab/build-peer.ts';
import { findProject } from '../../lab/project.ts';
import { VmFailure } from '../failure.ts';
import { parseRequest } from '../kernel-choice.ts';
import { compileTests } from './bundle.ts';
import { closingTable, kernelsPage } from './document.ts';
import { GUEST_RUNNER, type KernelResult, PROGRAM, runKernel } from './kernel-run.ts';
import { KERNELS, LANES } from './plan.ts';

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

async function run(args: string[]): Promise<number> {
  const { values, positionals } = readWords(args);
  const features = LANES.flat();
  const unknown = values.feature.filter((name) => !features.some((feature) => feature.name === name));
  if (unknown.length > 0)
    throw new VmFailure(`no feature ${unknown.join(', ')}: ${features.map((it) => it.name).join(', ')}`);
  const kernels = (positionals.length > 0 ? positionals : KERNELS).map(parseRequest);
  const root = findProject();
  // The tests' traffic peer is compiled here: a guest would take minutes for it.
  await ensurePeer();
  const tests = await compileTests([GUEST_RUNNER, PROGRAM, ...features.flatMap(({ files }) => files)]);
  const results: KernelResult[] = [];
  for (const kernel of kernels) {
    const tell = (what: string) => console.error(`vm ${kernel}: ${what}`);
    const isWanted = ({ name }: { readonly name: string }) =>
      values.feature.length === 0 || values.feature.includes(name);
    const result = await runKernel(kernel, { tests, isWanted, atOnce: Number(values['at-once']), cwd: root, tell });
    results.push(result);
    reportFailures(result);
    console.log(closingTable([result]).split('\n').at(-1));
  }
  console.log(`\n${closingTable(results)}`);
  if (values.write) writeFileSync(path.join(root, 'docs/kernels.md'), kernelsPage(results));
  const all = results.flatMap((result) => Object.values(result.features));
  const passed = all.reduce((sum, result) => sum + result.passed, 0);
  const failed = all.reduce((sum, result) => sum + result.failures.length, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

function readWords(args: string[]) {
  try {
    return parseArgs({
      args,
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

function reportFailures({ abi, features }: KernelResult): void {
  for (const [name, { failures }] of Object.entries(features)) {
    for (const failure of failures) console.error(`\n${abi} ${name}: ${failure}`);
  }
}
