// tortie doctor: whether this machine can be protected, and which slower way is taken where its kernel lacks something.
// Everything is found by trying it; what the features are for is not decided here.
import { type Command, Option } from 'commander';
import type { KernelFeatures } from '../../kernel/native.ts';
import { loadNative } from '../../kernel/native.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable, OUTPUT_FORMATS, type OutputFormat, paint, printData } from '../output.ts';

type FeatureName = Exclude<keyof KernelFeatures, 'release' | 'possibleCpus'>;

/** What it is for, and what is done without it; undefined = nothing works then. */
const FEATURES: Readonly<Record<FeatureName, { readonly purpose: string; readonly without?: string }>> = {
  bpfSyscall: { purpose: 'maps and programs' },
  mmapableArrays: { purpose: 'policy written as memory' },
  ringBuffer: { purpose: 'reports of flows and denials' },
  tcx: { purpose: 'programs attached by TCX links (Linux 6.6)', without: 'attached as clsact filters' },
  largeValues: { purpose: 'policy in one flat map value', without: 'policy read in blocks of 4 KiB' },
  redirectPeer: { purpose: 'delivery straight into the receiver', without: 'delivery through the queue of its device' },
  btf: { purpose: 'types of the kernel', without: 'nothing needs them' },
};

interface Finding {
  readonly feature: string;
  readonly purpose: string;
  readonly state: 'yes' | 'slower way' | 'missing';
  readonly instead?: string;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('say what this machine gives, found by trying it; exit code 1 if it cannot be protected')
    .requiredOption('--kernel', 'what the kernel has, and which way is taken where it lacks something')
    .addOption(new Option('--output <format>', 'how to print it').choices([...OUTPUT_FORMATS]).default('table'))
    .action(runDoctor);
}

function runDoctor({ output }: { readonly output: OutputFormat }): void {
  const features = loadNative().probeFeatures();
  const findings = examine(features);
  const { release } = features;
  printData({ kernel: release, features: findings }, output, () => describe(release, findings));
  if (findings.some(({ state }) => state === 'missing')) process.exitCode = EXIT.FAILED;
}

/** One finding for each feature, those that everything needs first. */
export function examine(features: Readonly<Record<FeatureName, boolean>>): Finding[] {
  return Object.entries(FEATURES).map(([feature, { purpose, without }]) => {
    if (features[feature as FeatureName]) return { feature, purpose, state: 'yes' };
    if (without === undefined) return { feature, purpose, state: 'missing' };
    return { feature, purpose, state: 'slower way', instead: without };
  });
}

function describe(release: string, findings: readonly Finding[]): string {
  const colours = { yes: 'green', 'slower way': 'yellow', missing: 'red' } as const;
  const rows = findings.map(({ feature, purpose, state, instead }) => [
    feature,
    paint(state, colours[state]),
    instead ?? '',
    purpose,
  ]);
  return `kernel ${release}\n\n${formatTable(['FEATURE', 'HERE', 'INSTEAD', 'FOR'], rows)}`;
}
