// How long it takes from a request to block one more prefix until packets are judged by it, as the agent does it: what is asked is
// checked against what the machine cannot do without, the table compiled, written and put in force. The disk comes after that.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockService } from '../src/agent/block/block-service.ts';
import { KernelEnforcement } from '../src/agent/block/enforcement.ts';
import { DEFAULT_LISTENER_RATE, DEFAULT_SOURCE_RATE, SYN_OFF } from '../src/agent/block/syn-settings.ts';
import { AGENT_ACTOR } from '../src/agent/store/actor.ts';
import { Logger } from '../src/base/log.ts';
import { DEFAULT_BPFFS } from '../src/kernel/pins.ts';
import { formatAddress, type IpAddress } from '../src/model/address.ts';
import type { PrefixLists } from '../src/tables/prefix-table-list.ts';
import type { Family } from './xdp-world.ts';

const LINES_AT_ONCE = 10_000;
/** On no interface: attaching is not part of it but for the first prefix. */
const SETTINGS = {
  guardInterfaces: '',
  interfacePrefix: '',
  synProtection: SYN_OFF,
  synSourceRate: DEFAULT_SOURCE_RATE,
  synListenerRate: DEFAULT_LISTENER_RATE,
};

/** Milliseconds of each of so many requests, over a feed with all prefixes of the lists. */
export async function measureRequests(
  family: Family,
  lists: PrefixLists,
  addresses: readonly IpAddress[],
): Promise<number[]> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  const pinRoot = join(DEFAULT_BPFFS, `tortie-bench-${process.pid}`);
  const log = new Logger({ level: 'error', write: () => undefined });
  const onRepair = (): void => undefined;
  mkdirSync(pinRoot, { recursive: true });
  const enforcement = new KernelEnforcement({ pinRoot, isWorkload: () => false, onRepair, log }, SETTINGS);
  const service = new BlockService({ stateDirectory, enforcement, log });
  try {
    await service.start();
    await service.putFeed('bench', linesOf(family, lists), { isForced: true }, AGENT_ACTOR);
    const samples: number[] = [];
    for (const address of addresses) {
      const name = formatAddress(address);
      const { inForceMs } = await service.add([name], {}, AGENT_ACTOR);
      samples.push(inForceMs as number);
      await service.remove([name]);
    }
    return samples;
  } finally {
    await service.close();
    rmSync(pinRoot, { recursive: true, force: true });
    rmSync(stateDirectory, { recursive: true, force: true });
  }
}

/** As a file has them. */
async function* linesOf(family: Family, lists: PrefixLists): AsyncGenerator<Uint8Array> {
  const { words, lengths } = lists[family];
  const each = family === 4 ? 1 : 4;
  for (let from = 0; from < lengths.length; from += LINES_AT_ONCE) {
    const lines: string[] = [];
    for (let at = from; at < Math.min(from + LINES_AT_ONCE, lengths.length); at += 1) {
      const address: IpAddress = { family, words: [...words.subarray(each * at, each * (at + 1))] };
      lines.push(`${formatAddress(address)}/${lengths[at]}\n`);
    }
    yield Buffer.from(lines.join(''));
  }
}
