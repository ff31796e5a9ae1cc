// What the agent and the process that keeps its flows say to each other: plain data, over the channel between the two.
import type { FlowListQuestion, GraphQuestion, TopQuestion } from '../../observe/flow-store/question.ts';
import type { RetentionLimits } from '../../observe/flow-store/retention.ts';
import type { FlowLog } from '../../observe/flows/flow-log.ts';

export interface StoreCalls {
  readonly open: { readonly directory: string; readonly retention: RetentionLimits };
  readonly append: { readonly logs: readonly FlowLog[] };
  readonly list: FlowListQuestion;
  readonly top: TopQuestion;
  readonly graph: GraphQuestion;
  readonly retain: { readonly retention: RetentionLimits };
  readonly status: Record<string, never>;
}

export type StoreCall = keyof StoreCalls;

export type StoreRequest = {
  readonly [C in StoreCall]: { readonly id: number; readonly call: C; readonly what: StoreCalls[C] };
}[StoreCall];

export type StoreReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: Readonly<Record<string, unknown>> }
  | { readonly log: StoreLogLine };

export interface StoreLogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
