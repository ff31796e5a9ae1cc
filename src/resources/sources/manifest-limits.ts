// How much a directory of manifests may hold, so that no directory, however it was made, takes its reader down.
import type { Resource } from '../resource.ts';

export interface ManifestLimits {
  /** Names in the directory and below, those that are no manifests included. */
  readonly files: number;
  readonly bytesPerFile: number;
  /** Of all files together. */
  readonly bytes: number;
  /** Keys and values of all specs together: what memory is spent on. */
  readonly values: number;
}

export const DEFAULT_MANIFEST_LIMITS: ManifestLimits = {
  files: 100_000,
  bytesPerFile: 32 * 1024 * 1024,
  bytes: 128 * 1024 * 1024,
  values: 4_000_000,
};

/** Values in the spec and metadata of the resources: what they cost in memory, in units of some 300 bytes. */
export function countValues(resources: readonly Resource[]): number {
  let count = 0;
  const open: unknown[] = resources.flatMap(({ spec, metadata }) => [spec, metadata]);
  while (open.length > 0) {
    const value = open.pop();
    count += 1;
    if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) open.push(item);
  }
  return count;
}
