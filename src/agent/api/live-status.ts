// What objects say of how they are now: put in as they are shown, and never kept.
import type { Manifest } from '../store/manifest.ts';
import type { ApiAgent } from './route.ts';

/** The object with its state on this node, where it is of a kind that has one. */
export function withLiveStatus(
  { flows }: { readonly flows: Pick<ApiAgent['flows'], 'packetCaptures'> },
  id: string,
  shown: Manifest,
): Manifest {
  const status = id.startsWith('PacketCapture/') ? flows.packetCaptures.statusOf(id) : undefined;
  return status === undefined ? shown : { ...shown, status };
}
