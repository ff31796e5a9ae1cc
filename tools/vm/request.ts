// The words behind `npm run vm --`, read: which kernel, which guest, which command. Pure.
import { parseArgs } from 'node:util';
import { VmFailure } from './failure.ts';
import { parseRequest } from './kernel-choice.ts';

export interface VmRequest {
  readonly kernel: string;
  readonly guests: 1 | 2;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly limitMs: number;
  readonly words: readonly string[];
}

export const USAGE = `usage: npm run vm -- --kernel VERSION [options] -- COMMAND [ARGUMENT...]

Runs a command as root in a guest machine with a stock Debian kernel. The guest sees the files of this machine; what it
writes is gone with it. Output and exit code are the command's; ${'125'} means that the guest itself did not work.

  --kernel VERSION   5.10, 6.1, 6.12, or 6 or 7 for the newest of these
  --guests 2         two guests on one cable: 192.168.77.1 and .2, fd77::1 and ::2; TORTIE_VM_INDEX says which is which
  --memory MB        for each guest (2048)
  --cpus N           for each guest (2)
  --limit SECONDS    after which the guest is ended (600)
`;

/** Throws VmFailure for words that are not understood. */
export function readRequest(parameters: readonly string[]): VmRequest {
  const { values, positionals } = parse(parameters);
  if (values.kernel === undefined) throw new VmFailure('no --kernel given');
  if (positionals.length === 0) throw new VmFailure('no command given');
  const guests = number('guests', values.guests ?? '1', 1, 2);
  return {
    kernel: parseRequest(values.kernel),
    guests: guests === 2 ? 2 : 1,
    memoryMb: number('memory', values.memory ?? '2048', 256, 1_048_576),
    cpus: number('cpus', values.cpus ?? '2', 1, 64),
    limitMs: 1000 * number('limit', values.limit ?? '600', 1, 86_400),
    words: positionals,
  };
}

function parse(parameters: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: { kernel: text, guests: text, memory: text, cpus: text, limit: text },
    });
  } catch (cause) {
    throw new VmFailure((cause as Error).message, { cause });
  }
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new VmFailure(`--${name}: found ${JSON.stringify(text)}, expected a whole number from ${least} to ${most}`);
}
