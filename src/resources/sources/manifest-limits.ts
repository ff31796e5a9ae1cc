// How much a directory of manifests may hold, so that no directory, however it was made, takes its reader down.
import type { Resource } from '../resource.ts';
import { countValuesOf } from '../text-resource.ts';

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

/** Values in the spec and metadata of the resources: what they cost to read, and in memory while somebody needs them. */
export function countValues(resources: readonly Resource[]): number {
  return resources.reduce((sum, resource) => sum + countValuesOf(resource), 0);
}
