// Names for what the kernel only knows as numbers. Read-only; agent/ provides it to observe/.
import type { IpAddress } from './address.ts';
import type { SideVerdict } from './verdict.ts';

export type WordVerdict = Pick<SideVerdict, 'verdict' | 'trace' | 'pending'>;

export interface NameLookup {
  /** `<namespace>/<name>` of the endpoint that owns the address. */
  endpointAt(address: IpAddress): string | undefined;
  /** What a verdict word says; its traces are empty when they are not known (any more). */
  verdict(word: number): WordVerdict;
  interfaceName(ifindex: number): string | undefined;
}
