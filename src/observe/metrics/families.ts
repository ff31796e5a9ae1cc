// Metrics that are read at each scrape, in as few words as it takes. What cannot be read costs its own metric and nobody
// else's: one that fails is left out, and counted.
import { Counter, Gauge, type Registry } from 'prom-client';

export type Labels<L extends string> = Readonly<Record<L, string>>;
/** A value and the labels that tell it from others of its metric. */
export type Sample<L extends string> = readonly [labels: Labels<L>, value: number];

export class Families {
  readonly registry: Registry;
  readonly #failures: Counter;

  constructor(registry: Registry) {
    this.registry = registry;
    this.#failures = new Counter({
      name: 'tortie_metric_read_failures_total',
      help: 'Metrics that could not be read at a scrape and were left out of it',
      registers: [registry],
    });
  }

  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [[{}, read()]]);
  }

  gauges<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => Iterable<Sample<L>>,
  ): void {
    const samples = this.#guarded(read);
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        // Without labels, reset leaves a zero that nobody has read.
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });
  }

  /** Of what is a total where it comes from: it goes back where that began anew. */
  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [[{}, read()]]);
  }

  counters<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => Iterable<Sample<L>>,
  ): void {
    const samples = this.#guarded(read);
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of samples()) this.inc(labels, value);
      },
    });
  }

  #guarded<L extends string>(read: () => Iterable<Sample<L>>): () => readonly Sample<L>[] {
    return () => {
      try {
        return [...read()];
      } catch {
        this.#failures.inc();
        return [];
      }
    };
  }
}

/**
 * What several metrics of one scrape are made of, read once for all of them: a scrape asks its metrics without a pause. Throws
 * what `read` does.
 */
export function onceEachScrape<T>(read: () => T): () => T {
  let last: { readonly value: T } | undefined;
  return () => {
    if (last === undefined) {
      last = { value: read() };
      void Promise.resolve().then(() => {
        last = undefined;
      });
    }
    return last.value;
  };
}
