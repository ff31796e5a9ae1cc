// Step abi: compiles the generator and lets it write src/abi/*.gen.ts from the BTF of build/bpf/abi.bpf.o.
import { filesBelow, runNode } from './process.mjs';
import { isFresh, writeStamp } from './stamp.mjs';
import { typeScriptCompiler } from './ts.mjs';

const config = 'tsconfig.gen-abi.json';

/**
 * Generates if the object, the headers, the generator or its output changed. With `isCheck` it only compares what is
 * there with what it would write. Throws BuildFailure.
 */
export async function generateAbi({ isCheck = false } = {}) {
  if (isFresh('abi', inputs(), '')) return undefined;
  await compileGenerator();
  if (isCheck) return runNode('dist-tools/tools/gen-abi.js', ['--check']);
  const summary = await runNode('dist-tools/tools/gen-abi.js', []);
  writeStamp('abi', inputs(), '');
  return summary.trim();
}

/** Makes dist-tools/tools/gen-abi.js; apart from the rest, because the rest needs what it generates. */
export async function compileGenerator() {
  const files = [config, 'tsconfig.base.json', ...generatorSources(), ...filesBelow('dist-tools/tools', isGenerator)];
  if (isFresh('gen-abi', files, '')) return;
  await runNode(typeScriptCompiler, ['--project', config]);
  writeStamp(
    'gen-abi',
    [...files.filter((file) => !isGenerator(file)), ...filesBelow('dist-tools/tools', isGenerator)],
    '',
  );
}

function generatorSources() {
  return filesBelow('tools', (file) => /^tools\/gen-abi[./].*ts$/.test(file));
}

function isGenerator(file) {
  return /^dist-tools\/tools\/gen-abi[./].*js$/.test(file);
}

function inputs() {
  const headers = filesBelow('bpf/abi', (file) => file.endsWith('.h'));
  return [
    ...headers,
    'build/bpf/abi.bpf.o',
    config,
    ...generatorSources(),
    ...filesBelow('src/abi', (file) => file.endsWith('.gen.ts')),
  ];
}
