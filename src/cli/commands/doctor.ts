// tortie doctor: what of this machine keeps policy from being enforced, or its packets from arriving, and what to do about
// it. What is looked at is in agent/doctor.
import { join } from 'node:path';
import type { Command } from 'commander';
import { CHECKS } from '../../agent/doctor/checks.ts';
import { examine } from '../../agent/doctor/examine.ts';
import { type FeatureFinding, judgeFeatures } from '../../agent/doctor/features.ts';
import type { Finding, Level, Places } from '../../agent/doctor/finding.ts';
import { thisMachine } from '../../agent/doctor/machine.ts';
import { DEFAULT_STATE_DIRECTORY } from '../../agent/places.ts';
import { DataplaneError } from '../../base/errors.ts';
import { loadNative } from '../../kernel/native.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { bpffsOption, outputOption, pinRootOption, socketOption } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData } from '../output.ts';

export interface DoctorOptions {
  readonly socket: string;
  readonly bpffs: string;
  readonly pinRoot?: string;
  readonly stateDir: string;
}

interface Given extends DoctorOptions {
  readonly output: OutputFormat;
  readonly kernel: boolean;
}

/** Adds the options that say where an agent has its things. */
export function addPlaceOptions(command: Command): Command {
  return command
    .addOption(socketOption())
    .addOption(bpffsOption())
    .addOption(pinRootOption())
    .option('--state-dir <dir>', 'directory that the agent keeps its state in', DEFAULT_STATE_DIRECTORY);
}

export function fillDoctorCommand(command: Command): void {
  addPlaceOptions(command.addOption(outputOption()))
    .option('--kernel', 'only what the kernel has, and which way is taken where it lacks something', false)
    .addHelpText(
      'after',
      '\nOnly reads, but for what the kernel has, which is found by trying it. A check says ok, warn, fail, or skip where it could\nnot look. Exit code 1: at least one fail. docs/doctor.md says what each check means.',
    )
    .action(runDoctor);
}

async function runDoctor(given: Given): Promise<void> {
  if (given.kernel) return showFeatures(given.output);
  const findings = await findingsOf(given);
  await printData(findings, given.output, () => describe(findings));
  if (findings.some(({ level }) => level === 'fail')) process.exitCode = EXIT.FAILED;
}

/** All findings about this machine. */
export function findingsOf(given: DoctorOptions): Promise<Finding[]> {
  return examine(
    CHECKS,
    thisMachine(placesOf(given), (path) => askIfThere(given.socket, path)),
  );
}

export function placesOf({ socket, bpffs, pinRoot, stateDir }: DoctorOptions): Places {
  return { socket, bpffs, pinRoot: pinRoot ?? join(bpffs, 'tortie'), stateDirectory: stateDir };
}

/** undefined = no agent answers. */
export async function askIfThere<T>(socket: string, path: string): Promise<T | undefined> {
  try {
    return await askAgent<T>(socket, 'GET', path);
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'AGENT_UNREACHABLE') return undefined;
    throw error;
  }
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const satisfies Record<Level, string>;

/** The table, hints in lines of their own below it, and one line that sums it up. */
export function describe(findings: readonly Finding[]): string {
  const rows = findings.map(({ id, level, found }) => [paint(level, COLOURS[level]), id, found]);
  const bad = findings.filter(({ hint }) => hint !== undefined);
  const count = (level: Level): number => findings.filter((one) => one.level === level).length;
  const hints = bad.flatMap(({ id, checked, level, hint }) => [
    '',
    `${paint(id, COLOURS[level])}: ${checked}`,
    `  ${hint}`,
  ]);
  const sum = `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures, ${count('skip')} skipped`;
  return [formatTable(['STATE', 'CHECK', 'FOUND'], rows), ...hints, '', sum].join('\n');
}

async function showFeatures(output: OutputFormat): Promise<void> {
  const features = loadNative().probeFeatures();
  const findings = judgeFeatures(features);
  const { release } = features;
  await printData({ kernel: release, features: findings }, output, () => describeFeatures(release, findings));
  if (findings.some(({ state }) => state === 'missing')) process.exitCode = EXIT.FAILED;
}

function describeFeatures(release: string, findings: readonly FeatureFinding[]): string {
  const colours = { yes: 'green', 'slower way': 'yellow', missing: 'red' } as const;
  const rows = findings.map(({ feature, purpose, state, instead }) => [
    feature,
    paint(state, colours[state]),
    instead ?? '',
    purpose,
  ]);
  return `kernel ${release}\n\n${formatTable(['FEATURE', 'HERE', 'INSTEAD', 'FOR'], rows)}`;
}
