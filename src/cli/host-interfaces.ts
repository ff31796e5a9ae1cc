// The interfaces that questions to host endpoints are about: those of a file, or this machine's own.
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { DataplaneError } from '../base/errors.ts';
import { parseAddress } from '../model/address.ts';
import type { HostInterface, InterfaceKind } from '../model/host-interfaces.ts';

const CLASS_NET = '/sys/class/net';
/** linux/if.h */
const IFF_LOOPBACK = 0x8;

const interfaceList = z.array(
  z.strictObject({
    name: z.string().min(1).max(15),
    kind: z.enum(['host', 'workload', 'loopback']).default('host'),
    addresses: z
      .array(z.string().refine((text) => parseAddress(text) !== undefined, { error: 'an IP address' }))
      .default([]),
  }),
);

/** Throws FILE_UNREADABLE and INVALID_FIELD. */
export function readInterfaceFile(path: string): HostInterface[] {
  const parsed = interfaceList.safeParse(readJson(path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DataplaneError('INVALID_FIELD', issue?.message ?? 'is not a list of interfaces', {
      operation: 'read interfaces',
      target: path,
      field: issue?.path.join('.') || undefined,
      expected: '[{"name": "eth0", "kind": "host", "addresses": ["192.0.2.1"]}], kind host, workload or loopback',
    });
  }
  return parsed.data.map(({ name, kind, addresses }) => hostInterface(name, kind, addresses));
}

/** This machine's, as they are now; `isWorkload` says which of them are ends of workloads' links. */
export function machineInterfaces(isWorkload: (name: string) => boolean): HostInterface[] {
  const addresses = networkInterfaces();
  const names = new Set([...Object.keys(addresses), ...listNames()]);
  return [...names].sort().map((name) => {
    const kind = isLoopback(name) ? 'loopback' : isWorkload(name) ? 'workload' : 'host';
    return hostInterface(
      name,
      kind,
      (addresses[name] ?? []).map(({ address }) => address),
    );
  });
}

function hostInterface(name: string, kind: InterfaceKind, addresses: readonly string[]): HostInterface {
  return { name, kind, addresses: addresses.map(parseAddress).filter((address) => address !== undefined) };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', {
      operation: 'read interfaces',
      target: path,
      expected: 'a JSON file',
      cause,
    });
  }
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
