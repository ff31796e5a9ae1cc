// Latency between endpoints, as `tortie probe` measured it.
import { Counter, Histogram, type Registry } from 'prom-client';
import { PROBE_RESULTS, type ProbeSample } from '../probe/report.ts';

/** From what one machine does in its own memory to what no network should take. */
const BUCKETS = [0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export class ProbeInstruments {
  readonly #duration: Histogram<'protocol'>;
  readonly #probes: Counter<'protocol' | 'result'>;

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'tortie_probe_duration_seconds',
      help: 'Time from one endpoint to another and back, as tortie probe measured it: a TCP handshake, or a UDP datagram and its echo',
      labelNames: ['protocol'],
      buckets: BUCKETS,
      registers: [registry],
    });
    this.#probes = new Counter({
      name: 'tortie_probes_total',
      help: 'What tortie probe tried, by what came of it',
      labelNames: ['protocol', 'result'],
      registers: [registry],
    });
    for (const protocol of ['TCP', 'UDP'] as const) {
      this.#duration.zero({ protocol });
      for (const result of PROBE_RESULTS) this.#probes.inc({ protocol, result }, 0);
    }
  }

  note(samples: Iterable<ProbeSample>): void {
    for (const { protocol, result, ms } of samples) {
      this.#probes.inc({ protocol, result });
      if (ms !== undefined) this.#duration.observe({ protocol }, ms / 1000);
    }
  }
}
