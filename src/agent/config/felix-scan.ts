// FelixConfigurations of a directory of manifests, found before anything else of it is parsed: sizes of maps must be known
// before there is an agent.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParsedDocuments, parseDocuments } from '../../resources/document.ts';
import { listManifests, type ManifestFile } from '../../resources/sources/manifest-files.ts';
import type { ManifestLimits } from '../../resources/sources/manifest-limits.ts';
import { mergeFiles } from '../../resources/sources/snapshot.ts';
import type { FelixConfiguration } from './felix.ts';

const KIND = 'FelixConfiguration';

/** Those that are in order; the agent itself says what is wrong with the others, as of all manifests. */
export function scanFelixConfigurations(directory: string, limits: ManifestLimits): FelixConfiguration[] {
  const files: Pick<ParsedDocuments, 'resources' | 'errors'>[] = [];
  for (const file of listManifests(directory, limits.files).files) {
    const bytes = readOrNothing(directory, file, limits);
    if (bytes?.includes(KIND) === true) files.push(parseDocuments(bytes.toString('utf8'), file.path));
  }
  return [...mergeFiles(files, []).objects.values()].filter((resource) => resource.type === KIND);
}

function readOrNothing(
  directory: string,
  { path, sizeBytes }: ManifestFile,
  limits: ManifestLimits,
): Buffer | undefined {
  if (sizeBytes > limits.bytesPerFile) return undefined;
  try {
    return readFileSync(join(directory, path));
  } catch {
    return undefined;
  }
}
