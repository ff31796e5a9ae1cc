// Options that several commands share, spelled and checked alike.
import { type Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MANIFESTS, DEFAULT_SOCKET } from '../agent/places.ts';
import { DEFAULT_BPFFS } from '../kernel/pins.ts';
import { OUTPUT_FORMATS } from './output.ts';

export const manifestsOption = (): Option =>
  new Option('--manifests <dir>', 'directory of manifests, the datastore')
    .env('TORTIE_MANIFESTS')
    .default(DEFAULT_MANIFESTS);

export const nodeOption = (): Option =>
  new Option('--node <name>', 'treat only workload endpoints of this node as local; * = all')
    .env('TORTIE_NODE')
    .default('*');

export const socketOption = (): Option =>
  new Option('--socket <path>', "the agent's socket").env('TORTIE_SOCKET').default(DEFAULT_SOCKET);

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to show the answer').choices([...OUTPUT_FORMATS]).default('table');

export const bpffsOption = (): Option =>
  new Option('--bpffs <dir>', 'mount point of the BPF file system').env('TORTIE_BPFFS').default(DEFAULT_BPFFS);

export const pinRootOption = (): Option =>
  new Option('--pin-root <dir>', 'directory in bpffs for everything that is pinned (default: <bpffs>/tortie)').env(
    'TORTIE_PIN_ROOT',
  );

/** An argument that the command's usage names. */
export function argumentOf({ registeredArguments }: Command, name: string): Argument {
  const found = registeredArguments.find((argument) => argument.name() === name);
  if (found === undefined) throw new RangeError(`no argument <${name}>`);
  return found;
}

/** For options that take a whole number of at least `minimum`. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}`);
  };
}
