// What objects say of how they are now: put in as they are shown, and never kept.
import { isPlain, type Manifest, NOT_IN_FORCE_ANNOTATION } from '../store/manifest.ts';
import type { ApiAgent } from './route.ts';

/** The object with its state on this node, where it is of a kind that has one, and with why it is not in force. */
export function withLiveStatus(
  agent: Pick<ApiAgent, 'flows' | 'fileOf' | 'stored'>,
  id: string,
  shown: Manifest,
): Manifest {
  const { flows, stored } = agent;
  const unreadable = stored.unreadable.get(id);
  if (unreadable !== undefined && agent.fileOf(id) === undefined) {
    return annotated(shown, unreadable.errors.map(({ message }) => message).join('; '));
  }
  const status = id.startsWith('PacketCapture/') ? flows.packetCaptures.statusOf(id) : undefined;
  return status === undefined ? shown : { ...shown, status };
}

function annotated(shown: Manifest, why: string): Manifest {
  const metadata = isPlain(shown.metadata) ? shown.metadata : {};
  const annotations = isPlain(metadata.annotations) ? metadata.annotations : {};
  return { ...shown, metadata: { ...metadata, annotations: { ...annotations, [NOT_IN_FORCE_ANNOTATION]: why } } };
}
