// Runs the fuzzer of the C stages: worlds from a seed, the corpus of the tree, a limit of time; says what came of it.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportWorld } from './export-world.ts';
import { type Build, buildFuzzer } from './harness.ts';

export const CORPUS = 'test/fuzz/corpus/stages';

export interface StagesRun {
  readonly root: string;
  readonly seconds: number;
  /** Ends the run as well. */
  readonly packets?: number;
  readonly build?: Build;
  /** Of the worlds and of the fuzzer's choices. */
  readonly seed: number;
  readonly worlds: number;
  /** Where new inputs go: a folder of its own unless given. */
  readonly corpus?: string;
  readonly print: (line: string) => void;
}

export interface StagesOutcome {
  readonly packets: number;
  /** Packets by enum tt_reason. */
  readonly reasons: readonly number[];
  readonly isGood: boolean;
  /** What the fuzzer printed last. */
  readonly log: string;
  /** How to see the failure again. */
  readonly reproduction?: string;
}

const OPTIONS = 'detect_leaks=0:malloc_context_size=0:quarantine_size_mb=4:handle_abort=0';
/** A story of 64 packets takes a millisecond. */
const STORY_SECONDS = 10;

/** Fuzzes for so long. Throws HarnessFailure if there is no fuzzer to run. */
export async function fuzzStages(request: StagesRun): Promise<StagesOutcome> {
  const { root, seed, worlds, print, seconds } = request;
  const fuzzer = buildFuzzer(root, 'stages', request.build ?? 'sanitized');
  const files = writeWorlds(root, seed, worlds, print);
  const results = path.join(root, 'build/fuzz/results');
  mkdirSync(results, { recursive: true });
  const folder = mkdtempSync(path.join(results, `${seed}-`));
  const own = request.corpus ?? path.join(folder, 'corpus');
  mkdirSync(own, { recursive: true });
  const statistics = path.join(folder, 'statistics');
  const environment = {
    TORTIE_FUZZ_WORLDS: files.join(':'),
    TORTIE_FUZZ_STATISTICS: statistics,
    ...(request.packets !== undefined && { TORTIE_FUZZ_PACKETS: `${request.packets}` }),
  };
  const parameters = [
    `-max_total_time=${seconds}`,
    '-max_len=1024',
    '-len_control=0',
    `-timeout=${STORY_SECONDS}`,
    '-reload=0',
    '-print_final_stats=1',
    `-seed=${seed}`,
    `-artifact_prefix=${folder}/`,
    own,
    path.join(root, CORPUS),
  ];
  const { code, log } = await runFuzzer(path.join(root, fuzzer), parameters, environment);
  const [packets = 0, ...reasons] = existsSync(statistics)
    ? readFileSync(statistics, 'utf8').split(' ').map(Number)
    : [];
  const crash = readdirSync(folder).find((name) => /^(crash|timeout|oom)-/.test(name));
  const isGood = code === 0 && crash === undefined;
  if (isGood) for (const done of [folder, ...files]) rmSync(done, { recursive: true, force: true });
  const reproduction =
    crash === undefined
      ? undefined
      : `TORTIE_FUZZ_TRACE=1 TORTIE_FUZZ_WORLDS=${files.join(':')} ${fuzzer} ${path.relative(root, path.join(folder, crash))}`;
  return { packets, reasons, isGood, log, reproduction };
}

/** Files that hold the worlds of a seed. */
function writeWorlds(root: string, seed: number, count: number, print: (line: string) => void): string[] {
  const folder = path.join(root, 'build/fuzz/worlds');
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const file = path.join(folder, `${seed}-${index}.world`);
    const { content, endpoints, answers } = exportWorld(seed, index);
    writeFileSync(file, content);
    print(`world ${index}: ${endpoints} endpoints, ${answers} answers of the reference evaluator`);
    return file;
  });
}

function runFuzzer(
  file: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly log: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ASAN_OPTIONS: OPTIONS, ...environment };
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
