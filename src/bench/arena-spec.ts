// What a traffic measurement is about: guests around one router, who decides in that router, which flows are sent.
// Plain values; nothing here touches the machine.
import type { Flow } from '../model/flow.ts';

/** The namespace in the middle. */
export const ROUTER = 'router';

/** One machine next to the router: a veth pair whose other end lies in a namespace of the guests. */
export interface GuestSpec {
  readonly name: string;
  /** The router's side of the pair, at most 15 characters. */
  readonly hostInterface: string;
  /** Bare addresses of either family. */
  readonly addresses: readonly string[];
  /** The guest's side of the pair; one is made up when absent. */
  readonly mac?: string;
  /**
   * Guests that name the same namespace share it: fine for packets that a `Traffic` injects and counts, which need no
   * stack at either end. Absent = one of its own, as sockets need.
   */
  readonly namespace?: string;
  /** The router sends what is nobody else's to this guest: the network outside. At most one. */
  readonly isOutside?: boolean;
}

/** Who decides about packets in the router. Rule sets are loaded as they are, in the router's namespace alone. */
export type Decider =
  | { readonly kind: 'none' }
  /** A tc program that lets everything pass, on ingress of every interface of the router. */
  | { readonly kind: 'empty' }
  /** Text for iptables-restore and ip6tables-restore; '' = nothing to load. */
  | { readonly kind: 'iptables'; readonly ipv4: string; readonly ipv6: string }
  /** Text for `nft -f`. */
  | { readonly kind: 'nftables'; readonly text: string }
  /** The agent, on a directory of manifests whose endpoints name the guests' host interfaces. */
  | { readonly kind: 'tortie'; readonly manifests: string; readonly agentFlags?: readonly string[] };

/** The first packet of a flow, and the guest that sends it. */
export interface SentFlow {
  readonly from: string;
  readonly flow: Flow;
}

/** What became of packets that were sent as fast as they went through. */
export interface ForwardSample {
  readonly sent: number;
  readonly arrived: number;
  /** From the first packet's sending to the last one's arrival. */
  readonly elapsedNs: number;
}

export function nsPerPacket(sample: ForwardSample): number {
  return sample.elapsedNs / sample.arrived;
}
