// The door `npm run check`: everything that can be said about the tree without running it. Runs all checks and then
// says which failed; what each one demands is in its own configuration.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { generateAbi } from './build-steps/abi.mjs';
import { compileBpf } from './build-steps/bpf.mjs';
import { filesBelow, root } from './build-steps/process.mjs';
import { compileTypeScript, typeScriptCompiler } from './build-steps/ts.mjs';
import { findLongC } from './check/c-sizes.mjs';

const docsGenerator = 'dist-tools/tools/gen-docs.js';
const instructionsCheck = 'dist-tools/bench/instructions-check.js';
const colours = process.stdout.isTTY ? 'force' : 'off';

/** Name -> true if it passed; each has said what is wrong. In order of cost. */
const checks = {
  'generated layouts': checkLayouts,
  'format and lint': () => runs('node_modules/@biomejs/biome/bin/biome', ['ci', `--colors=${colours}`, '.']),
  'types of pure folders': () => runs(typeScriptCompiler, ['--project', 'tsconfig.pure.json']),
  types: () => runs(typeScriptCompiler, ['--project', 'tsconfig.json']),
  'import direction': checkImports,
  'sizes of C files': checkSizes,
  'generated documents': () => !existsSync(path.join(root, docsGenerator)) || runs(docsGenerator, ['--check']),
  'instruction counts': checkInstructions,
};

process.exitCode = await main(process.argv.slice(2));

async function main(names) {
  const unknown = names.filter((name) => !(name in checks));
  if (unknown.length > 0) {
    console.error(`check: no check ${unknown.join(', ')} (checks: ${Object.keys(checks).join(', ')})`);
    return 2;
  }
  const failed = [];
  for (const [name, check] of Object.entries(checks)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const passed = await check();
    console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}`);
    if (!passed) failed.push(name);
  }
  return failed.length === 0 ? 0 : 1;
}

/** Compares without writing: a stale file must be seen here, not repaired. */
async function checkLayouts() {
  try {
    await compileBpf();
    await generateAbi({ isCheck: true });
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}

/** A version that does not know our TypeScript skips every .ts file and finds nothing wrong. */
async function checkImports() {
  const { allExtensions } = await import('dependency-cruiser');
  if (!allExtensions.some(({ extension, available }) => extension === '.ts' && available)) {
    console.error('dependency-cruiser cannot read this version of TypeScript: 17.4.3 or newer reads 6.0');
    return false;
  }
  const script = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
  return runs(script, [
    'src',
    'tools',
    'bench',
    'test',
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'err-long',
  ]);
}

/** Of the programs as they are now, so both they and what counts them are compiled first. */
async function checkInstructions() {
  try {
    await compileBpf();
    await compileTypeScript();
  } catch (error) {
    console.error(error.message);
    return false;
  }
  return runs(instructionsCheck, []);
}

function checkSizes() {
  const files = [...filesBelow('bpf', isC), ...filesBelow('native/src', isC)];
  const problems = findLongC(files.filter((file) => path.basename(file) !== 'vmlinux.h'));
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
}

function isC(file) {
  return /\.(c|h|cc)$/.test(file);
}

function runs(script, parameters) {
  return spawnSync(process.execPath, [script, ...parameters], { cwd: root, stdio: 'inherit' }).status === 0;
}
