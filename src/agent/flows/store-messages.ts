// What the agent and the process that keeps its flows say to each other: plain data, over the channel between the two.
import type { FlowListQuestion, GraphQuestion, TopQuestion } from '../../observe/flow-store/question.ts';
import type { RetentionLimits } from '../../observe/flow-store/retention.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';

export interface StoreCalls {
  readonly open: { readonly directory: string; readonly retention: RetentionLimits };
  readonly append: { readonly logs: readonly FlowLog[]; readonly after?: number };
  readonly list: FlowListQuestion;
  readonly top: TopQuestion;
  readonly graph: GraphQuestion;
  readonly retain: { readonly retention: RetentionLimits };
  readonly status: Record<string, never>;
}

export type StoreCall = keyof StoreCalls;

/** They wait for all else, and only for so long. */
export const QUESTIONS: ReadonlySet<StoreCall> = new Set<StoreCall>(['list', 'top', 'graph']);

export type StoreRequest = {
  readonly [C in StoreCall]: {
    readonly id: number;
    readonly call: C;
    readonly what: StoreCalls[C];
    /** After this nobody waits for the answer; undefined = somebody does. */
    readonly withinMs?: number;
  };
}[StoreCall];

export type StoreReply =
  | { readonly id: number; readonly answer: unknown }
  /** The first items of an answer that is a list: more follow, and the answer has the rest. */
  | { readonly id: number; readonly part: readonly unknown[] }
  | { readonly id: number; readonly error: Readonly<Record<string, unknown>> }
  | { readonly log: StoreLogLine };

export interface StoreLogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
