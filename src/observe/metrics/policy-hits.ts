// How often each policy, or each rule, decided about a new flow or a denied packet: from events, so that packets of known flows
// cost nothing. Asked for by a setting, because the number of series goes with the number of policies; bounded whatever comes.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { FlowRecord, RecordedSide } from '../flow-record.ts';

export const HIT_DETAILS = ['off', 'policy', 'rule'] as const;
export type HitDetail = (typeof HIT_DETAILS)[number];

/** Of one agent; what comes after is counted as one. */
export const MAX_HIT_SERIES = 5000;
const OTHER = { tier: '', policy: '(other)', rule: '', action: '', direction: '' } as const;

type HitLabel = keyof typeof OTHER;
type HitLabels = Readonly<Record<HitLabel, string>>;

export class PolicyHits {
  readonly detail: HitDetail;
  readonly #counter: Counter<HitLabel>;
  readonly #known = new Set<string>();
  readonly #maxSeries: number;

  constructor(registry: Registry, detail: HitDetail, maxSeries = MAX_HIT_SERIES) {
    this.detail = detail;
    this.#maxSeries = maxSeries;
    this.#counter = new Counter({
      name: 'tortie_policy_hits_total',
      help: 'New flows and denied packets that a policy decided about, by events; see metricsHits',
      labelNames: Object.keys(OTHER) as HitLabel[],
      registers: [registry],
    });
    const series = (): number => this.#known.size;
    new Gauge({
      name: 'tortie_policy_hit_series',
      help: `Series of tortie_policy_hits_total; from ${maxSeries} on new ones are counted as policy "(other)"`,
      registers: [registry],
      collect() {
        this.set(series());
      },
    });
  }

  /** The record of one event. */
  note({ egress, ingress }: Pick<FlowRecord, 'egress' | 'ingress'>): void {
    if (this.detail === 'off') return;
    if (egress !== undefined) this.#noteSide('egress', egress);
    if (ingress !== undefined) this.#noteSide('ingress', ingress);
  }

  #noteSide(direction: 'egress' | 'ingress', { trace }: RecordedSide): void {
    for (const text of trace) {
      const labels = readEntry(text, direction, this.detail);
      if (labels !== undefined) this.#counter.inc(this.#admitted(labels));
    }
  }

  #admitted(labels: HitLabels): HitLabels {
    const key = Object.values(labels).join('\0');
    if (this.#known.has(key)) return labels;
    if (this.#known.size >= this.#maxSeries) return OTHER;
    this.#known.add(key);
    return labels;
  }
}

/** Of `0|tier|kind:name|action|rule`, as flow logs have it. */
function readEntry(text: string, direction: string, detail: HitDetail): HitLabels | undefined {
  const [, tier, policy, action, rule] = text.split('|');
  if (tier === undefined || policy === undefined || action === undefined || rule === undefined) return undefined;
  return { tier, policy, rule: detail === 'rule' ? rule : '', action, direction };
}
