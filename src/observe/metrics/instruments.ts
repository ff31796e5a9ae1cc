// What cannot be read at a scrape because it is over by then: how long things took, and how often they happened. The agent tells
// as it goes; nobody reading costs nothing more.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { FelixInstruments } from './felix.ts';
import { type HitDetail, PolicyHits } from './policy-hits.ts';
import { ProbeInstruments } from './probes.ts';

export type ChangeSource = 'file' | 'api';
/** watch = from the kernel's word of a changed file until its objects are known; write = of a change to the agent's store. */
export type DatastoreOperation = 'watch' | 'write';

/** From a millisecond to minutes: objectives are at 30 s for changes, at 200 ms for the datastore. */
const CHANGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const DATASTORE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10];
const APPLY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Instruments {
  readonly registry = new Registry();
  readonly felix = new FelixInstruments(this.registry);
  readonly probes = new ProbeInstruments(this.registry);
  readonly hits: PolicyHits;
  readonly events: Counter;
  readonly change: Histogram<'source'>;
  readonly apply: Histogram;
  readonly applyFailures: Counter;
  readonly datastore: Histogram<'operation'>;

  /** `pendingSeconds` = how long the oldest change has waited that is not in force yet. */
  constructor(hits: HitDetail, pendingSeconds: () => number) {
    const registers = [this.registry];
    this.hits = new PolicyHits(this.registry, hits);
    this.events = new Counter({
      name: 'tortie_events_total',
      help: 'Records of the ring buffer that the agent read: events, such as new flows and denials, and last counts of flows',
      registers,
    });
    this.change = new Histogram({
      name: 'tortie_policy_change_duration_seconds',
      help: 'From when a change of policy was noticed, or asked for, until packets are judged by it',
      labelNames: ['source'],
      buckets: CHANGE_BUCKETS,
      registers,
    });
    new Gauge({
      name: 'tortie_policy_change_pending_seconds',
      help: 'How long the oldest change has waited that is not in force yet; 0 = there is none',
      registers,
      collect() {
        this.set(pendingSeconds());
      },
    });
    this.apply = new Histogram({
      name: 'tortie_apply_duration_seconds',
      help: 'Time that it took to bring a state of policy into the kernel',
      buckets: APPLY_BUCKETS,
      registers,
    });
    this.applyFailures = new Counter({
      name: 'tortie_apply_failures_total',
      help: 'Times that a state of policy could not be brought into the kernel: the one before stayed in force',
      registers,
    });
    this.datastore = new Histogram({
      name: 'tortie_datastore_duration_seconds',
      help: 'Time until the objects of a changed file are known (watch), or a change is stored (write)',
      labelNames: ['operation'],
      buckets: DATASTORE_BUCKETS,
      registers,
    });
    // A rate needs to have seen them at nought.
    for (const source of ['file', 'api'] as const) this.change.zero({ source });
    for (const operation of ['watch', 'write'] as const) this.datastore.zero({ operation });
  }
}
