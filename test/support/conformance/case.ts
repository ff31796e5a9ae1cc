// What a conformance case is: manifests applied step by step, and who reaches whom after each step. Types only: the truth tables
// are written next to the cases and are never computed by anything of Tortie.

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface ServedPort {
  readonly protocol: Protocol;
  readonly port: number;
  /** As the pods' manifests name it. */
  readonly name: string;
}

/** A Kubernetes object as its author writes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface ConformanceStep {
  /** Created, or replaced if there already. */
  readonly apply?: readonly Manifest[];
  /** Deleted: only what names them counts. */
  readonly remove?: readonly Manifest[];
  /** The truth table, see truth.ts: everything is open but for what these rows say, later rows over earlier ones. */
  readonly expect: readonly string[];
}

export interface ConformanceCase {
  /** Behaviour in the present tense, unique in its suite. */
  readonly name: string;
  readonly steps: readonly ConformanceStep[];
}

export interface ConformanceGroup {
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** The pods that the cases of a suite speak of. */
export interface Cluster {
  readonly namespaces: readonly Manifest[];
  readonly pods: readonly Manifest[];
  /** What every pod serves. */
  readonly ports: readonly ServedPort[];
}

export interface ConformanceSuite {
  readonly name: string;
  readonly cluster: Cluster;
  readonly groups: readonly ConformanceGroup[];
}

/** A case of one step. */
export function oneStep(name: string, apply: readonly Manifest[], expect: readonly string[]): ConformanceCase {
  return { name, steps: [{ apply, expect }] };
}
