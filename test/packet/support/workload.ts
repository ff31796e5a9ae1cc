// What a packet test says of a workload: its entry in the programs' maps in plain words. How it is written is
// endpoint-memory.ts.

export interface Workload {
  readonly id: number;
  readonly ifindex: number;
  readonly v4?: string;
  readonly v6?: string;
  readonly mac: string;
  readonly hostMac: string;
  readonly mtu?: number;
  readonly flags?: number;
  /** Addresses besides v4 and v6. */
  readonly moreAddresses?: readonly string[];
  /** Prefixes it may send from. */
  readonly sources?: readonly { readonly address: string; readonly length: number }[];
}
