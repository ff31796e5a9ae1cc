// Metrics that are read at each scrape, in as few words as it takes. What cannot be read costs its own metric and nobody
// else's: one that fails is left out, and counted.
import { Counter, Gauge, type Registry } from 'prom-client';

/** A value behind the labels that tell it from others of its metric, in the order of its table. */
export type Sample = readonly [...labels: string[], value: number];

export interface Family {
  readonly help: string;
  /** None = there is one value. */
  readonly labels?: readonly string[];
  readonly read: () => number | Iterable<Sample>;
}

/** By name. */
export type FamilyTable = Readonly<Record<string, Family>>;

export class Families {
  readonly registry: Registry;
  readonly #failed: () => void;

  /** `failed` is called for each family that could not be read. */
  constructor(registry: Registry, failed?: () => void) {
    this.registry = registry;
    this.#failed = failed ?? countFailures(registry);
  }

  gauges(table: FamilyTable): void {
    this.#add(table, (metric) => {
      const gauge = new Gauge(metric);
      return { forget: () => gauge.remove(), put: (labels, value) => gauge.set(labels, value) };
    });
  }

  /** Of what is a total where it comes from: it goes back where that began anew. */
  counters(table: FamilyTable): void {
    this.#add(table, (metric) => {
      const counter = new Counter(metric);
      return { forget: () => counter.remove(), put: (labels, value) => counter.inc(labels, value) };
    });
  }

  #add(table: FamilyTable, make: (metric: Definition) => Values): void {
    for (const [name, { help, labels = [], read }] of Object.entries(table)) {
      const samples = this.#guarded(read);
      const values = make({
        name,
        help,
        labelNames: [...labels],
        registers: [this.registry],
        collect() {
          this.reset();
          // Without labels, reset leaves a zero that nobody has read.
          if (labels.length === 0) values.forget();
          for (const sample of samples()) {
            values.put(
              Object.fromEntries(labels.map((label, at) => [label, String(sample[at])])),
              Number(sample.at(-1)),
            );
          }
        },
      });
    }
  }

  #guarded(read: Family['read']): () => readonly Sample[] {
    return () => {
      try {
        const found = read();
        return typeof found === 'number' ? [[found]] : [...found];
      } catch {
        this.#failed();
        return [];
      }
    };
  }
}

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
  collect(this: { reset(): void }): void;
}

/** Of one family, in the terms of its kind. */
interface Values {
  /** The only value that it has. */
  forget(): void;
  put(labels: Readonly<Record<string, string>>, value: number): void;
}

function countFailures(registry: Registry): () => void {
  const counter = new Counter({
    name: 'tortie_metric_read_failures_total',
    help: 'Metrics that could not be read at a scrape and were left out of it',
    registers: [registry],
  });
  return () => counter.inc();
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
