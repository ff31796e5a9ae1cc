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
  for (const { spec, metadata } of resources) count += countIn(spec) + countIn(metadata);
  return count;
}

/** Documents are nested no deeper than yaml/bounds.ts lets them be. */
function countIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  if (Array.isArray(value)) for (const item of value) count += countIn(item);
  else for (const key in value) count += countIn((value as Readonly<Record<string, unknown>>)[key]);
  return count;
}
