// Names for what the kernel only knows as numbers. Read-only; agent/ provides it to observe/.
import type { IpAddress } from './address.ts';
import type { TraceEntry } from './trace.ts';

export interface NameLookup {
  /** `<namespace>/<name>` of the endpoint that owns the address. */
  endpointAt(address: IpAddress): string | undefined;
  /** Decisions behind a verdict word; empty when it is not known (any more). */
  trace(word: number): readonly TraceEntry[];
  isAllowed(word: number): boolean;
  interfaceName(ifindex: number): string | undefined;
}
