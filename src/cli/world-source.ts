// The objects that a question is about: of a directory, or of the running agent.
import { readLiveManifests } from '../agent/live-manifests.ts';
import type { LoadedManifests } from '../agent/offline.ts';
import { buildWorld } from '../model/build-world.ts';
import { readDirectory } from '../resources/sources/directory.ts';
import type { ResourceSnapshot } from '../resources/sources/snapshot.ts';
import { askAgent } from './agent-client.ts';

export interface WorldFlags {
  /** undefined = of the agent. */
  readonly manifests?: string;
  readonly socket: string;
}

/** Throws AGENT_UNREACHABLE. */
export async function readSnapshot({ manifests, socket }: WorldFlags): Promise<ResourceSnapshot> {
  if (manifests !== undefined) return readDirectory(manifests);
  return readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests'));
}

export function worldOfSnapshot(snapshot: ResourceSnapshot): LoadedManifests {
  const { world, errors } = buildWorld(snapshot.objects.values());
  return { world, errors: [...snapshot.errors, ...errors] };
}
