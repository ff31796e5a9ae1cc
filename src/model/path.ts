// A packet's way past a host's interfaces, and what each stage on it says: questions to policy of host endpoints.
import type { IpAddress } from './address.ts';
import type { Flow } from './flow.ts';
import type { Direction, HostScope } from './policy.ts';
import type { TraceEntry } from './trace.ts';

/** Names of interfaces. An interface that nobody knows is a host interface without an endpoint of its own. */
export type Path =
  | { readonly kind: 'to-host'; readonly in: string }
  | { readonly kind: 'from-host'; readonly out: string }
  | { readonly kind: 'forward'; readonly in: string; readonly out: string };

/** Lists of host endpoints, of the workloads at either end, and the setting for packets from workloads to their host. */
export type Stage = HostScope | Direction | 'endpointToHost';

export interface PathFlow {
  /** Source as before the host's own translation of it, destination as after. */
  readonly flow: Flow;
  readonly path: Path;
  /** What the packet was sent to, where the host translates it; of the flow's family. */
  readonly beforeNat?: { readonly destination: IpAddress; readonly destinationPort: number };
}

/** `next`: the stage decides nothing, later ones go on. */
export type StageDecision = 'allow' | 'deny' | 'next';

export interface ListVerdict {
  readonly verdict: StageDecision;
  readonly trace: readonly TraceEntry[];
  /** A Log rule matched on the way. */
  readonly isLogged: boolean;
  /** What the list would say if every staged policy were enforced; undefined = no staged policy governs. */
  readonly pending?: { readonly verdict: StageDecision; readonly trace: readonly TraceEntry[] };
}

export interface StageVerdict extends ListVerdict {
  readonly stage: Stage;
  /** Name of the host endpoint; of stages of workloads `<namespace>/<pod or workload>`. */
  readonly endpoint: string;
  readonly direction: Direction;
}

export interface PathVerdict {
  readonly verdict: 'allow' | 'deny';
  /** In order, up to the one that ends it. Empty: nothing polices the packet. */
  readonly stages: readonly StageVerdict[];
}

/** The flow that preDNAT policy sees. */
export function flowBeforeNat({ flow, beforeNat }: PathFlow): Flow {
  return beforeNat === undefined ? flow : { ...flow, ...beforeNat };
}

/** A decision of a list, and what its last trace entry says of it: an end that is no end passes on. */
export function decisionOf(trace: readonly TraceEntry[]): StageDecision {
  const action = trace.at(-1)?.action;
  return action === 'allow' || action === 'deny' ? action : 'next';
}
