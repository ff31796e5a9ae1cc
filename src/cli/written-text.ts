// What a request that wrote one object has made of it, in the form that was asked for.
import type { Manifest } from '../agent/store/manifest.ts';
import { describeOutcome } from './change-text.ts';
import type { ChangeOptions, DryRun, ObjectFormat } from './object-options.ts';
import { formatData, qualifiedName } from './object-output.ts';
import { print } from './output.ts';

export function dryRunOf({ dryRun = 'none' }: ChangeOptions): DryRun {
  return dryRun === true ? 'server' : dryRun;
}

/** An object that a request has answered with. */
export async function printWritten(
  object: Manifest,
  outcome: string,
  dryRun: DryRun,
  format: ObjectFormat = { kind: 'table' },
): Promise<void> {
  if (format.kind === 'table' || format.kind === 'wide') print(describeOutcome(object, outcome, dryRun));
  else if (format.kind === 'name') print(qualifiedName(object));
  else {
    const text = await formatData(object, format);
    if (format.kind === 'jsonpath') process.stdout.write(text);
    else print(format.kind === 'yaml' ? `---\n${text}` : text);
  }
}
