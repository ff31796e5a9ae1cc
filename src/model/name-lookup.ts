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

/** Who has an address, as flow logs name it. */
export interface NamedEnd {
  readonly type: 'wep' | 'hep' | 'ns';
  /** '' = it has none. */
  readonly namespace: string;
  readonly name: string;
  /** What ends of many alike are put together by. */
  readonly aggregatedName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its policy is enforced here. */
  readonly isLocal: boolean;
}

export interface NamedService {
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  readonly port: number;
}

/** What flow logs ask. Answers may change while it lives. */
export interface FlowNames {
  /** A workload or host endpoint, else the network set with the longest prefix; undefined = nobody knows it. */
  endAt(address: IpAddress): NamedEnd | undefined;
  /** The service that has the address and port, with a protocol of IANA's. */
  serviceAt(address: IpAddress, protocol: number, port: number): NamedService | undefined;
  verdict(word: number): WordVerdict;
}
