// The interfaces of this machine, or of its network namespace, as they are now. What policy is behind them is not known here.
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../model/address.ts';
import type { HostInterface } from '../model/host-interfaces.ts';

const CLASS_NET = '/sys/class/net';
/** linux/if.h */
const IFF_LOOPBACK = 0x8;

/** This machine's, as they are now; `isWorkload` says which of them are ends of workloads' links. */
export function machineInterfaces(isWorkload: (name: string) => boolean): HostInterface[] {
  const addresses = networkInterfaces();
  const names = new Set([...Object.keys(addresses), ...listNames()]);
  return [...names].sort().map((name) => {
    const kind = isLoopback(name) ? 'loopback' : isWorkload(name) ? 'workload' : 'host';
    const texts = (addresses[name] ?? []).map(({ address }) => address);
    return { name, kind, addresses: texts.map(parseAddress).filter((address) => address !== undefined) };
  });
}

/** Those without an address as well. */
function listNames(): string[] {
  try {
    return readdirSync(CLASS_NET);
  } catch {
    return [];
  }
}

function isLoopback(name: string): boolean {
  try {
    return (Number(readFileSync(`${CLASS_NET}/${name}/flags`, 'utf8')) & IFF_LOOPBACK) !== 0;
  } catch {
    return name === 'lo';
  }
}
