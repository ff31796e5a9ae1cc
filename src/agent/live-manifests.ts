// The resources that an agent has in force, as its API sends them and as they are read again. Their rules' lines are not
// sent: everything of an object is placed at the object's own line.
import { z } from 'zod';
import { DataplaneError } from '../base/errors.ts';
import { parseDocuments } from '../resources/document.ts';
import { findKind } from '../resources/kinds.ts';
import type { Resource } from '../resources/resource.ts';
import { mergeFiles, type ResourceSnapshot } from '../resources/sources/snapshot.ts';
import { copyResource } from '../resources/text-resource.ts';

const answer = z.object({
  objects: z.array(z.object({ file: z.string(), line: z.number(), manifest: z.record(z.string(), z.unknown()) })),
});

export interface LiveManifests {
  readonly objects: readonly {
    readonly file: string;
    readonly line: number;
    /** As in a manifest. */
    readonly manifest: Readonly<Record<string, unknown>>;
  }[];
}

export function describeLiveManifests(resources: Iterable<Resource>): LiveManifests {
  return {
    objects: [...resources].map((resource) => ({ ...resource.location, manifest: manifestOf(resource) })),
  };
}

/**
 * The resources of an agent's answer. Throws VERSION_SKEW when it is not one, or has an object that only another version
 * understands: without it, whatever is said of the rest would be wrong.
 */
export function readLiveManifests(value: unknown): ResourceSnapshot {
  const parsed = answer.safeParse(value);
  if (!parsed.success) throw notUnderstood('the answer is not understood', z.prettifyError(parsed.error));
  const snapshot = mergeFiles(parsed.data.objects.map(readObject), []);
  const [first] = snapshot.errors;
  if (first === undefined) return snapshot;
  throw notUnderstood(`${snapshot.errors.length} objects that are in force are not understood`, first.message);
}

function notUnderstood(what: string, found: string): DataplaneError {
  return new DataplaneError('VERSION_SKEW', what, {
    operation: 'read manifests of',
    target: 'the agent',
    found,
    hint: 'use the command that was installed with the agent',
  });
}

function readObject({ file, line, manifest }: LiveManifests['objects'][number]): {
  resources: Resource[];
  errors: readonly DataplaneError[];
} {
  const { resources, errors } = parseDocuments(JSON.stringify(manifest), file);
  const placed = resources.map(
    (resource): Resource => copyResource(resource, { location: { file, line }, lineOf: () => line }),
  );
  return { resources: placed, errors };
}

/** What a resource was read from, in one form of several that say the same. */
export function manifestOf({ apiVersion, kind, namespace, name, metadata, spec }: Resource): Record<string, unknown> {
  const isFlat = findKind(apiVersion, kind)?.fields !== undefined;
  return { apiVersion, kind, metadata: { ...metadata, namespace, name }, ...(isFlat ? spec : { spec }) };
}
