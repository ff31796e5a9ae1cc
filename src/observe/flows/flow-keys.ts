// Goldmane's FlowKey as two numbers: a text of it would cost more than all else that is done with a flow.
import type { FlowEnd, FlowLog, FlowService } from './flow-log.ts';

/** Numbers below: ends that a record has had, traces. Both numbers of a key stay within 2^53, the double of the second too. */
const END_BITS = 2 ** 26;
const PORTS = 2 ** 16;
const PROTOCOLS = 2 ** 9;
/** Arrays that are told apart by identity before they are by content. */
const MAX_ARRAYS = 65_536;

interface KnownEnd {
  readonly type: FlowEnd['type'];
  readonly namespace: string;
  readonly service: string;
  readonly id: number;
}

/** For records of one bucket: what it remembers goes with it. Once it is closed, what is new has no number: NaN. */
export class FlowKeys {
  readonly #ends = new Map<string, KnownEnd[]>();
  #endCount = 0;
  readonly #protocols = new Map<string, number>();
  readonly #traces = new Map<string, number>();
  readonly #traceArrays = new Map<readonly string[], number>();
  readonly #tracePairs = new Map<number, number>();
  #isClosed = false;

  /** Names and traces that are remembered. */
  get size(): number {
    return this.#endCount + this.#traces.size;
  }

  /** From now on nothing more is remembered: a flood of new names takes no memory. */
  close(): void {
    this.#isClosed = true;
  }

  /** Who talks to whom, by which service. */
  pairOf({ source, destination, service }: FlowLog): number {
    return this.#endId(source, '') * END_BITS + this.#endId(destination, service === undefined ? '' : nameOf(service));
  }

  /** All else. */
  restOf({ destination, protocol, reporter, action, enforced, pending }: FlowLog): number {
    const traces = this.#traceId(enforced) * END_BITS + this.#traceId(pending);
    const what = (reporter === 'src' ? 1 : 0) + (action === 'allow' ? 2 : 0);
    return (
      ((this.#numberOf(this.#tracePairs, traces) * PORTS + destination.port) * PROTOCOLS + this.#protocolId(protocol)) *
        4 +
      what
    );
  }

  #endId({ type, namespace, aggregatedName }: FlowEnd, service: string): number {
    let known = this.#ends.get(aggregatedName);
    for (const end of known ?? []) {
      if (end.namespace === namespace && end.type === type && end.service === service) return end.id;
    }
    if (this.#isClosed) return Number.NaN;
    if (known === undefined) {
      known = [];
      this.#ends.set(aggregatedName, known);
    }
    const id = this.#endCount;
    this.#endCount += 1;
    known.push({ type, namespace, service, id });
    return id;
  }

  #protocolId(protocol: string): number {
    return this.#numberOf(this.#protocols, protocol);
  }

  #traceId(trace: readonly string[]): number {
    const known = this.#traceArrays.get(trace);
    if (known !== undefined) return known;
    const id = this.#numberOf(this.#traces, trace.join('\n'));
    if (this.#traceArrays.size < MAX_ARRAYS && !this.#isClosed) this.#traceArrays.set(trace, id);
    return id;
  }

  /** As many as there were before, for what is new. */
  #numberOf<K>(numbers: Map<K, number>, key: K): number {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (this.#isClosed || Number.isNaN(key)) return Number.NaN;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  }
}

function nameOf({ namespace, name, portName, port }: FlowService): string {
  return `${namespace}/${name}/${portName}/${port}`;
}
