// Prometheus metrics of the agent. Readers only: everything comes in through the MetricsSource.
import { Counter, Gauge, Registry } from 'prom-client';

export interface MetricsSource {
  /** Packets and bytes by reason name, as the kernel counted them. */
  counters(): ReadonlyMap<string, { readonly packets: bigint; readonly bytes: bigint }>;
  /** Live flows by protocol and state, named as the field names them. */
  flows(): Iterable<{ readonly protocol: string; readonly state: string; readonly flows: number }>;
  generation(): number;
  isInSync(): boolean;
  /** What is in force was taken over from an earlier agent, and manifests are still being loaded. */
  isLoading(): boolean;
  endpointStates(): ReadonlyMap<string, number>;
}

/** A registry that reads the source at every scrape. */
export function createMetrics(source: MetricsSource): Registry {
  const registry = new Registry();
  const registers = [registry];
  kernelCounter('tortie_packets_total', 'Packets by what became of them and why', 'packets', source, registry);
  kernelCounter('tortie_bytes_total', 'Bytes of IP packets by what became of them and why', 'bytes', source, registry);
  gauge('tortie_policy_generation', 'Counts changes of the policy in force', () => source.generation());
  gauge('tortie_in_sync', '1 when the kernel enforces all accepted manifests', () => Number(source.isInSync()));
  gauge('tortie_loading', '1 while manifests are loaded that the kernel enforces already', () =>
    Number(source.isLoading()),
  );
  new Gauge({
    name: 'tortie_flows',
    help: 'Live flows by protocol and state',
    labelNames: ['protocol', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { protocol, state, flows } of source.flows()) this.set({ protocol, state }, flows);
    },
  });
  new Gauge({
    name: 'tortie_endpoints',
    help: 'Local workload endpoints by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const [state, count] of source.endpointStates()) this.set({ state }, count);
    },
  });
  return registry;

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}

/** The kernel's counts are totals already: each scrape adds what is new. */
function kernelCounter(
  name: string,
  help: string,
  field: 'packets' | 'bytes',
  source: MetricsSource,
  registry: Registry,
): void {
  const seen = new Map<string, bigint>();
  new Counter({
    name,
    help,
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      for (const [reason, total] of source.counters()) {
        this.inc({ reason }, Number(total[field] - (seen.get(reason) ?? 0n)));
        seen.set(reason, total[field]);
      }
    },
  });
}
