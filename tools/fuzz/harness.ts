// Compiles the C stages for this machine, with sanitizers, together with the harness in test/fuzz/harness.
// Knows how to build the fuzzers, not how to run them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const HARNESS = 'test/fuzz/harness';
/** Below 14 the stages are not compiled by anything else here either. */
const CLANGS = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang-14', 'clang'] as const;

/** Programs: instrumented and watched. Misaligned loads are what packets are made of, and the CPUs that matter do them. */
const STAGES = [
  '-O1',
  '-fsanitize=fuzzer-no-link,address,undefined',
  '-fno-sanitize=alignment',
  '-fno-sanitize-recover=all',
];
/** The harness itself: only fast. */
const REST = ['-O2', '-std=c++20', '-x', 'c++'];
const SHARED = ['-g', '-fno-omit-frame-pointer', '-Wall', '-Werror'];

const SOURCES = ['kernel', 'world', 'wire', 'frames', 'model', 'machine', 'stages-fuzzer'] as const;

export class HarnessFailure extends Error {}

/** The fuzzer's path, relative to the root; compiled unless nothing has changed. Throws HarnessFailure with what clang says. */
export function buildStagesFuzzer(root: string, out = 'build/fuzz'): string {
  const clang = findClang(root);
  const target = path.join(out, 'stages-fuzzer');
  const stamp = path.join(root, out, 'stages-fuzzer.stamp');
  const state = fingerprint(root, clang);
  if (existsSync(path.join(root, target)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return target;
  mkdirSync(path.join(root, out), { recursive: true });
  rmSync(stamp, { force: true });
  writeNativeHeaders(root, path.join(out, 'headers'));
  const include = [path.join(out, 'headers'), path.join(HARNESS, 'shim'), HARNESS, 'bpf'].flatMap((folder) => [
    '-I',
    folder,
  ]);
  const objects = ['stages', ...SOURCES].map((name) => path.join(out, `${name}.o`));
  run(root, clang, [
    ...STAGES,
    '-std=gnu11',
    ...SHARED,
    ...include,
    '-c',
    `${HARNESS}/stages.c`,
    '-o',
    `${out}/stages.o`,
  ]);
  for (const name of SOURCES) {
    run(root, clang, [...REST, ...SHARED, ...include, '-c', `${HARNESS}/${name}.cc`, '-o', `${out}/${name}.o`]);
  }
  const unfinished = `${target}.${process.pid}`;
  run(root, clang, ['-fsanitize=fuzzer,address,undefined', ...objects, '-lstdc++', '-lm', '-o', unfinished]);
  renameSync(path.join(root, unfinished), path.join(root, target));
  writeFileSync(stamp, state);
  return target;
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
function writeNativeHeaders(root: string, folder: string): void {
  rmSync(path.join(root, folder), { recursive: true, force: true });
  const jump = /asm volatile goto\("if %0 (\S+) %1 goto %l\[(\w+)\]" : : "r"\((.*?)\), "r"\((.*?)\) : : \2\);/g;
  for (const file of filesBelow(root, 'bpf')) {
    const text = readFileSync(path.join(root, file), 'utf8');
    if (!text.includes('asm volatile goto(')) continue;
    const native = text.replace(jump, 'if (($3) $1 ($4)) goto $2;');
    if (native.includes('asm volatile goto(')) {
      throw new HarnessFailure(`${file}: a BPF instruction that tools/fuzz/harness.ts cannot put into C`);
    }
    const copy = path.join(root, folder, path.relative('bpf', file));
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, native);
  }
}

/** Of everything that goes into the fuzzer. */
function fingerprint(root: string, clang: string): string {
  const hash = createHash('sha256').update([clang, ...STAGES, ...REST, ...SHARED, ...SOURCES].join(' '));
  for (const file of [...filesBelow(root, 'bpf'), ...filesBelow(root, HARNESS)]) {
    hash.update(file).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
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
