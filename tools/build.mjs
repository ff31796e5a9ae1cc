// The door `npm run build`: runs the steps bpf, abi, native and ts (or those named), each only if its inputs changed.
// How a step works belongs to tools/build-steps/<step>.mjs.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { generateAbi } from './build-steps/abi.mjs';
import { compileBpf } from './build-steps/bpf.mjs';
import { buildNative } from './build-steps/native.mjs';
import { BuildFailure, buildDir, root } from './build-steps/process.mjs';
import { compileTypeScript } from './build-steps/ts.mjs';

/** In dependency order: abi reads bpf's object, ts compiles what abi writes. Each returns what it did, for one line. */
const steps = { bpf: compileBpf, abi: generateAbi, native: buildNative, ts: compileTypeScript };

process.exitCode = await main(process.argv.slice(2));

async function main(names) {
  const unknown = names.filter((name) => !(name in steps));
  if (unknown.length > 0) {
    console.error(`build: no step ${unknown.join(', ')} (steps: ${Object.keys(steps).join(', ')})`);
    return 2;
  }
  wipeMovedBuild();
  try {
    for (const [name, step] of Object.entries(steps)) {
      if (names.length === 0 || names.includes(name)) await timed(name, step);
    }
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    console.error(error.message);
    return 1;
  }
  return 0;
}

async function timed(name, step) {
  const start = performance.now();
  const done = await step();
  console.log(
    `${name}: ${done ?? 'up to date'}${done ? ` (${((performance.now() - start) / 1000).toFixed(1)} s)` : ''}`,
  );
}

/** CMake's cache holds absolute paths and refuses to work in a tree that was moved or copied. */
function wipeMovedBuild() {
  const cache = path.join(buildDir, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home === root) return;
  console.log(`build: made in ${home ?? 'an unknown place'}, now in ${root}: starting afresh`);
  rmSync(buildDir, { recursive: true, force: true });
}
