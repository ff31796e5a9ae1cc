// Compiles the C stages for this machine, with sanitizers, together with the harness in test/fuzz/harness.
// Knows how to build the fuzzers, not how to run them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const HARNESS = 'test/fuzz/harness';
const OUT = 'build/fuzz';
const HEADERS = `${OUT}/headers`;
/** Below 14 the stages are not compiled by anything else here either. */
const CLANGS = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang-14', 'clang'] as const;

/** Under sanitizers, or several times as fast with only what the harness itself looks at. */
export type Build = 'sanitized' | 'plain';
export type TargetName = 'stages' | 'guard';

/** Programs: instrumented and watched. Misaligned loads are what packets are made of, and the CPUs that matter do them. */
const PROGRAMS: Readonly<Record<Build, readonly string[]>> = {
  sanitized: [
    '-O1',
    '-fsanitize=fuzzer-no-link,address,undefined',
    '-fno-sanitize=alignment',
    '-fno-sanitize-recover=all',
    '-std=gnu11',
  ],
  plain: ['-O2', '-fsanitize=fuzzer-no-link', '-std=gnu11'],
};
/** The harness itself: only fast. It tells the sanitizers what may not be touched. */
const FAST = ['-O2', '-std=c++20', '-x', 'c++'];
const REST: Readonly<Record<Build, readonly string[]>> = { sanitized: [...FAST, '-DFUZZ_SANITIZED'], plain: FAST };
const LINK: Readonly<Record<Build, string>> = {
  sanitized: '-fsanitize=fuzzer,address,undefined',
  plain: '-fsanitize=fuzzer',
};
const INCLUDE = [HEADERS, `${HARNESS}/shim`, HARNESS, 'bpf'].flatMap((folder) => ['-I', folder]);
const SHARED = ['-g', '-fno-omit-frame-pointer', '-Wall', '-Werror', ...INCLUDE];

const COMMON = ['kernel', 'maps', 'driver', 'word-file'] as const;
const MODEL = ['model', 'model-names', 'model-judge', 'model-connections'] as const;
const SOURCES: Readonly<Record<TargetName, readonly string[]>> = {
  stages: [
    ...COMMON,
    'world',
    'wire',
    'protocols',
    'frames',
    ...MODEL,
    'machine',
    'machine-checks',
    'story',
    'story-specs',
    'probes',
    'stages-fuzzer',
  ],
  guard: [...COMMON, 'guard-table', 'guard-frames', 'guard-machine', 'guard-fuzzer'],
};

export class HarnessFailure extends Error {}

/**
 * The fuzzer's path, relative to the root. What has not changed since is not compiled again. Throws HarnessFailure with
 * what clang says.
 */
export function buildFuzzer(root: string, target: TargetName, build: Build): string {
  const clang = findClang(root);
  mkdirSync(path.join(root, OUT), { recursive: true });
  writeNativeHeaders(root);
  const headers = fingerprint(root, headersOf(root));
  const compile = (file: string, flags: readonly string[]): string => {
    const parameters = [...flags, ...SHARED, '-c', `${HARNESS}/${file}`];
    const state = fingerprint(root, [`${HARNESS}/${file}`], [clang, headers, ...parameters]);
    const object = `${OUT}/${file}-${build}.o`;
    if (!isCurrent(root, object, state)) {
      run(root, clang, [...parameters, '-o', object]);
      writeFileSync(path.join(root, `${object}.stamp`), state);
    }
    return object;
  };
  const objects = [
    compile('stages.c', PROGRAMS[build]),
    ...SOURCES[target].map((name) => compile(`${name}.cc`, REST[build])),
  ];
  const fuzzer = `${OUT}/${target}-fuzzer-${build}`;
  const state = fingerprint(root, objects, [clang, LINK[build]]);
  if (isCurrent(root, fuzzer, state)) return fuzzer;
  const unfinished = `${fuzzer}.${process.pid}`;
  run(root, clang, [LINK[build], ...objects, '-lstdc++', '-lm', '-o', unfinished]);
  renameSync(path.join(root, unfinished), path.join(root, fuzzer));
  writeFileSync(path.join(root, `${fuzzer}.stamp`), state);
  return fuzzer;
}

function isCurrent(root: string, file: string, state: string): boolean {
  const stamp = path.join(root, `${file}.stamp`);
  return existsSync(path.join(root, file)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state;
}

/** One that can link a fuzzer: the compiler alone comes without libFuzzer. */
function findClang(root: string): string {
  const found = CLANGS.filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  const able = found.find((name) => {
    const { stdout, status } = spawnSync(name, ['-print-runtime-dir'], { cwd: root, encoding: 'utf8' });
    if (status !== 0) return false;
    const names = [stdout.trim(), path.join(stdout.trim(), '../linux')]
      .filter(existsSync)
      .flatMap((dir) => readdirSync(dir));
    return names.some((name) => name.startsWith('libclang_rt.fuzzer'));
  });
  if (able !== undefined) return able;
  const version = /\d+$/.exec(found[0] ?? '')?.[0];
  const wanted = version === undefined ? 'clang and its libclang-rt-dev' : `libclang-rt-${version}-dev`;
  throw new HarnessFailure(`no clang with libFuzzer here: apt-get install ${wanted}`);
}

/**
 * Headers with a BPF instruction in them, in which this machine's compiler finds the C that it stands for. Throws
 * HarnessFailure for an instruction that is not known here.
 */
function writeNativeHeaders(root: string): void {
  rmSync(path.join(root, HEADERS), { recursive: true, force: true });
  const jump = /asm volatile goto\("if %0 (\S+) %1 goto %l\[(\w+)\]" : : "r"\((.*?)\), "r"\((.*?)\) : : \2\);/g;
  for (const file of filesBelow(root, 'bpf')) {
    const text = readFileSync(path.join(root, file), 'utf8');
    if (!text.includes('asm volatile goto(')) continue;
    const native = text.replace(jump, 'if (($3) $1 ($4)) goto $2;');
    if (native.includes('asm volatile goto(')) {
      throw new HarnessFailure(`${file}: a BPF instruction that tools/fuzz/harness.ts cannot put into C`);
    }
    const copy = path.join(root, HEADERS, path.relative('bpf', file));
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, native);
  }
}

/** Of words and of what is in files. */
function fingerprint(root: string, files: readonly string[], words: readonly string[] = []): string {
  const hash = createHash('sha256').update(words.join(' '));
  for (const file of files) hash.update(file).update(readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

/** Everything that may be included. */
function headersOf(root: string): string[] {
  return [...filesBelow(root, 'bpf'), ...filesBelow(root, HARNESS)].filter((file) => file.endsWith('.h'));
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(c|cc|h)$/.test(name))
    .map((name) => path.join(folder, name))
    .sort();
}

function run(root: string, command: string, parameters: readonly string[]): void {
  const { status, stderr } = spawnSync(command, parameters, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new HarnessFailure(`${command} ${parameters.join(' ')}\n${stderr}`);
}
