// The interfaces that questions to host endpoints are about, where a file says which: this machine's own are agent/machine-interfaces.ts.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DataplaneError } from '../base/errors.ts';
import { parseAddress } from '../model/address.ts';
import type { HostInterface, InterfaceKind } from '../model/host-interfaces.ts';

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
