// What policy says about a flow: the answer that every engine gives in the same shape.
import type { TraceEntry } from './trace.ts';

/** One endpoint's policy in one direction. */
export interface SideVerdict {
  /** Display name, `<namespace>/<pod or workload>`. */
  readonly endpoint: string;
  readonly verdict: 'allow' | 'deny';
  readonly trace: readonly TraceEntry[];
  /** A Log rule matched on the way. */
  readonly isLogged: boolean;
  /** What would hold if every staged policy were enforced; undefined = no staged policy governs. */
  readonly pending?: PendingVerdict;
}

export interface PendingVerdict {
  readonly verdict: 'allow' | 'deny';
  readonly trace: readonly TraceEntry[];
}

export interface FlowVerdict {
  readonly verdict: 'allow' | 'deny';
  /** null = the source is no workload endpoint. */
  readonly egress: SideVerdict | null;
  /** null = the destination is no workload endpoint. */
  readonly ingress: SideVerdict | null;
}

/** The verdict of a pending trace: the action of its last entry. */
export function pendingVerdict(trace: readonly TraceEntry[]): PendingVerdict {
  return { verdict: trace.at(-1)?.action === 'allow' ? 'allow' : 'deny', trace };
}

/** The side of an endpoint whose packet passes before policy. */
export function unjudgedSide(endpoint: string): SideVerdict {
  return { endpoint, verdict: 'allow', trace: [], isLogged: false };
}

/** Both sides must allow; a side without an endpoint has nothing against it. */
export function combineSides(egress: SideVerdict | null, ingress: SideVerdict | null): FlowVerdict {
  const isDenied = egress?.verdict === 'deny' || ingress?.verdict === 'deny';
  return { verdict: isDenied ? 'deny' : 'allow', egress, ingress };
}
