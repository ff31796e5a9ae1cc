// Runs a target's fuzzer: files from a seed, the corpus of the tree, a limit of time; says what came of it. What the
// targets are is in targets.ts.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Build, buildFuzzer } from './harness.ts';
import type { FuzzTarget } from './targets.ts';

export interface FuzzRun {
  readonly root: string;
  readonly seconds: number;
  /** Ends the run as well. */
  readonly packets?: number;
  readonly build?: Build;
  /** Of the target's files and of the fuzzer's choices. */
  readonly seed: number;
  /** Files to make: worlds, or whatever the target's are. */
  readonly worlds: number;
  /** Where new inputs go: a folder of its own unless given. */
  readonly corpus?: string;
  readonly print: (line: string) => void;
}

export interface FuzzOutcome {
  readonly packets: number;
  /** Packets by their end, as the target numbers those. */
  readonly ends: readonly number[];
  readonly isGood: boolean;
  /** What the fuzzer printed last. */
  readonly log: string;
  /** How to see the failure again. */
  readonly reproduction?: string;
}

const OPTIONS = 'detect_leaks=0:malloc_context_size=0:quarantine_size_mb=4:handle_abort=0';
/** An input of 64 packets takes a millisecond. */
const INPUT_SECONDS = 10;

/** Fuzzes for so long. Throws HarnessFailure if there is no fuzzer to run. */
export async function fuzz(target: FuzzTarget, request: FuzzRun): Promise<FuzzOutcome> {
  const { root, seed, seconds } = request;
  const fuzzer = buildFuzzer(root, target.name, request.build ?? 'sanitized');
  const files = writeFiles(target, request);
  const results = path.join(root, 'build/fuzz/results');
  mkdirSync(results, { recursive: true });
  const folder = mkdtempSync(path.join(results, `${seed}-`));
  const own = request.corpus ?? path.join(folder, 'corpus');
  mkdirSync(path.join(root, target.corpus), { recursive: true });
  mkdirSync(own, { recursive: true });
  const statistics = path.join(folder, 'statistics');
  const environment = {
    ...fuzzerEnvironment(files),
    TORTIE_FUZZ_STATISTICS: statistics,
    ...(request.packets !== undefined && { TORTIE_FUZZ_PACKETS: `${request.packets}` }),
  };
  const parameters = [
    `-max_total_time=${seconds}`,
    '-max_len=1024',
    '-len_control=0',
    `-timeout=${INPUT_SECONDS}`,
    '-reload=0',
    '-print_final_stats=1',
    `-seed=${seed}`,
    `-artifact_prefix=${folder}/`,
    own,
    path.join(root, target.corpus),
  ];
  const { code, log } = await runFuzzer(path.join(root, fuzzer), parameters, environment);
  const [packets = 0, ...ends] = existsSync(statistics) ? readFileSync(statistics, 'utf8').split(' ').map(Number) : [];
  const crash = readdirSync(folder).find((name) => /^(crash|timeout|oom)-/.test(name));
  const isGood = code === 0 && crash === undefined;
  if (isGood) for (const done of [folder, ...files]) rmSync(done, { recursive: true, force: true });
  const reproduction =
    crash === undefined
      ? undefined
      : `TORTIE_FUZZ_TRACE=1 TORTIE_FUZZ_WORLDS=${files.join(':')} ${fuzzer} ${path.relative(root, path.join(folder, crash))}`;
  return { packets, ends, isGood, log, reproduction };
}

/** Where a fuzzer finds its files, and how it reports. */
export function fuzzerEnvironment(files: readonly string[]): Readonly<Record<string, string>> {
  return { TORTIE_FUZZ_WORLDS: files.join(':'), ASAN_OPTIONS: OPTIONS };
}

/** What the fuzzer is told by: files of a seed. */
export function writeFiles(
  target: FuzzTarget,
  { root, seed, worlds, print }: Pick<FuzzRun, 'root' | 'seed' | 'worlds' | 'print'>,
): string[] {
  const folder = path.join(root, 'build/fuzz/worlds');
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: worlds }, (_, index) => {
    const file = path.join(folder, `${target.name}-${seed}-${index}`);
    const { content, summary } = target.exportFile(seed, index);
    writeFileSync(file, content);
    print(`${target.name} ${index}: ${summary}`);
    return file;
  });
}

function runFuzzer(
  file: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly log: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(file, parameters, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const stop = (): void => {
      child.kill('SIGTERM');
    };
    let log = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      log = (log + text).slice(-8000);
    });
    process.once('SIGINT', stop);
    child.on('error', reject);
    child.on('close', (code) => {
      process.removeListener('SIGINT', stop);
      resolve({ code, log });
    });
  });
}
