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

/** The resources of an agent's answer. Throws INTERNAL when it is not one: the agent is of another version. */
export function readLiveManifests(value: unknown): ResourceSnapshot {
  const parsed = answer.safeParse(value);
  if (!parsed.success) {
    throw new DataplaneError('INTERNAL', 'the answer is not understood', {
      operation: 'read manifests of',
      target: 'the agent',
      found: z.prettifyError(parsed.error),
      hint: 'are the agent and this command of the same version?',
    });
  }
  return mergeFiles(parsed.data.objects.map(readObject), []);
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
