// Holds the fate of every packet against the versions of the policy that can have judged it: what none of them allows must not
// come, what all of them allow must not be lost.
import { Timeline } from './timeline.ts';
import type { PacketRecord, WitnessFlow } from './witness.ts';

export interface JudgedFlow extends WitnessFlow {
  /** Whether a version of the policy allows it. */
  readonly isAllowed: (version: number) => boolean;
}

export interface Judgement {
  /** Packets whose fate is known. */
  readonly packets: number;
  readonly came: number;
  readonly lost: number;
  readonly wrong: number;
  /** The first of what is wrong, in words. */
  readonly examples: readonly string[];
}

/** Between the call that sends a packet and its judgement lies at most this much on a machine that has too much to do. */
const JUDGED_WITHIN_NS = 100e6;
const EXAMPLES = 20;

export class FlipJudge {
  readonly timeline = new Timeline();
  readonly flows: readonly JudgedFlow[];
  readonly #examples: string[] = [];
  readonly #cameByFlow: number[];
  #packets = 0;
  #came = 0;
  #lost = 0;
  #wrong = 0;

  constructor(flows: readonly JudgedFlow[]) {
    this.flows = flows;
    this.#cameByFlow = flows.map(() => 0);
  }

  /** Records come seconds after the packets, when the versions of their time are known. */
  judge(record: PacketRecord): void {
    const flow = this.flows[record.flow] as JudgedFlow;
    if (record.fate === 'lost') this.#judgeLost(record, flow);
    else this.#judgeCame(record, flow);
  }

  get judgement(): Judgement {
    return {
      packets: this.#packets,
      came: this.#came,
      lost: this.#lost,
      wrong: this.#wrong,
      examples: this.#examples,
    };
  }

  /** Packets that came, by flow: a flow that some version allows and none of whose packets came was not tried. */
  get cameByFlow(): readonly number[] {
    return this.#cameByFlow;
  }

  #judgeCame(record: PacketRecord, flow: JudgedFlow): void {
    this.#came += 1;
    this.#cameByFlow[record.flow] = (this.#cameByFlow[record.flow] ?? 0) + 1;
    if (record.fate === 'came') this.#packets += 1;
    // TCP sends again what was dropped: what came was sent at an unknown time shortly before.
    const isSentTimeKnown = flow.kind !== 'tcp' && record.fate === 'came';
    const from = isSentTimeKnown ? record.sentNs : record.cameNs - JUDGED_WITHIN_NS;
    if (!this.timeline.some(from, record.cameNs, flow.isAllowed)) this.#note('came', record, flow);
  }

  #judgeLost(record: PacketRecord, flow: JudgedFlow): void {
    this.#packets += 1;
    this.#lost += 1;
    if (flow.kind === 'tcp') return;
    const end = record.sentNs + JUDGED_WITHIN_NS;
    if (!this.timeline.some(record.sentNs, end, (version) => !flow.isAllowed(version)))
      this.#note('lost', record, flow);
  }

  #note(what: string, { number, sentNs, cameNs, fate }: PacketRecord, flow: JudgedFlow): void {
    this.#wrong += 1;
    if (this.#examples.length >= EXAMPLES) return;
    const when = fate === 'lost' ? `sent at ${sentNs}` : `sent at ${sentNs}, came at ${cameNs}`;
    this.#examples.push(`${flow.kind} to ${flow.address} port ${flow.port}: number ${number} ${what} (${when})`);
  }
}
