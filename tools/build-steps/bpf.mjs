// Step bpf: bpf/**/*.bpf.c -> build/bpf/<name>.bpf.o, and the programs of tests and benchmarks -> build/bpf/test|bench/.
// Flags are the whole difference between two builds of one source: reproducible, and hashed into the stamp.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { BuildFailure, filesBelow, findExecutable, root, run } from './process.mjs';
import { dropStamp, isFresh, writeStamp } from './stamp.mjs';

/** Oldest is what Debian 11 backports; a plain `clang` is whatever the machine's owner chose. */
const clangNames = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang-14', 'clang'];

/** Headers that differ by architecture (asm/types.h) live in the multiarch folder, which `-target bpf` does not search. */
const multiarch = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  s390x: 's390x-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
};

/** Compiles what changed. Returns a summary, undefined if nothing was to do. Throws BuildFailure with clang's output. */
export async function compileBpf() {
  const units = [...unitsOf('bpf', ''), ...unitsOf('test', 'test'), ...unitsOf('bench', 'bench')];
  refuseDoubles(units);
  removeStrangers(units);
  const compiler = findExecutable(clangNames);
  if (compiler === undefined)
    throw new BuildFailure(`bpf: none of ${clangNames.join(', ')} is installed (run: npm run setup)`);
  const stale = units.filter((unit) => !isFresh(unit.stamp, inputsOf(unit), flags(compiler)));
  const queue = [...stale];
  const worker = async () => {
    for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) await compile(compiler, unit);
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, worker));
  return stale.length === 0 ? undefined : `compiled ${stale.map((unit) => path.basename(unit.object)).join(', ')}`;
}

function unitsOf(folder, subfolder) {
  return filesBelow(folder, (file) => file.endsWith('.bpf.c')).map((source) => {
    const object = path.join('build/bpf', subfolder, `${path.basename(source, '.c')}.o`);
    return { source, object, dependencies: `${object}.d`, stamp: path.join('bpf', subfolder, path.basename(source)) };
  });
}

/** Objects are named after their source alone, so two sources of one name would overwrite each other. */
function refuseDoubles(units) {
  for (const [index, unit] of units.entries()) {
    const twin = units.slice(0, index).find((other) => other.object === unit.object);
    if (twin !== undefined) throw new BuildFailure(`bpf: ${twin.source} and ${unit.source} both make ${unit.object}`);
  }
}

function removeStrangers(units) {
  const known = new Set(units.flatMap((unit) => [unit.object, unit.dependencies]));
  for (const file of filesBelow('build/bpf', (name) => /\.bpf\.o(\.d)?$/.test(name))) {
    if (!known.has(file)) rmSync(path.join(root, file));
  }
}

function flags(compiler) {
  const triplet = multiarch[process.arch] ?? `${process.arch}-linux-gnu`;
  return [
    compiler,
    '-target',
    'bpf',
    '-mcpu=v3',
    '-O2',
    '-g',
    '-std=gnu11',
    '-Wall',
    '-Werror',
    '-fno-ident',
    '-I',
    'bpf',
    '-idirafter',
    `/usr/include/${triplet}`,
    '-fdebug-compilation-dir=.',
  ];
}

/** The object, its source and every header clang named last time; without that list the object counts as stale. */
function inputsOf(unit) {
  const file = path.join(root, unit.dependencies);
  if (!existsSync(file)) return [unit.object, unit.source];
  const names = readFileSync(file, 'utf8')
    .replace(/^[^:]*:/, '')
    .replaceAll('\\\n', ' ')
    .split(/\s+/);
  return [unit.object, unit.source, ...names.filter((name) => name !== '')];
}

/** The object appears whole or not at all: somebody may be loading it. */
async function compile(compiler, unit) {
  mkdirSync(path.join(root, path.dirname(unit.object)), { recursive: true });
  dropStamp(unit.stamp);
  const [, ...shared] = flags(compiler);
  const unfinished = `${unit.object}.${process.pid}`;
  try {
    // Where the tree is leaves no trace in the object, and so none in the stamp.
    const place = `-ffile-prefix-map=${root}=.`;
    await run(compiler, [...shared, place, '-MMD', '-MF', unit.dependencies, '-c', unit.source, '-o', unfinished]);
    renameSync(path.join(root, unfinished), path.join(root, unit.object));
  } catch (failure) {
    for (const file of [unfinished, unit.object]) rmSync(path.join(root, file), { force: true });
    throw failure;
  }
  writeStamp(unit.stamp, inputsOf(unit), flags(compiler));
}
