// This machine looked at again and again for a while: what it does now and then is seen only so. One look keeps everything that
// those before have seen.
import type { HostObservation } from '../../analysis/protect/observation.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import { distinctFlows, observeHost } from './observe.ts';

/** Finished connections stay in the kernel's lists for a minute: few are missed in between. */
const EVERY_MS = 1000;

export interface WatchOptions {
  readonly interfaces: () => readonly HostInterface[];
  /** SSH_CONNECTION. */
  readonly session: string;
  /** 0 = one look. */
  readonly forMs: number;
  readonly onLook?: (observation: HostObservation, restMs: number) => void;
}

/** What was seen in all that time; listeners, sessions and all else as they are at its end. */
export async function watchHost({ interfaces, session, forMs, onLook }: WatchOptions): Promise<HostObservation> {
  const end = performance.now() + forMs;
  let seen = observeHost(interfaces(), session);
  for (let restMs = forMs; restMs > 0; restMs = end - performance.now()) {
    onLook?.(seen, restMs);
    await new Promise((resolve) => setTimeout(resolve, Math.min(restMs, EVERY_MS)));
    const next = observeHost(interfaces(), session);
    seen = { ...next, flows: distinctFlows([...seen.flows, ...next.flows]) };
  }
  return seen;
}
