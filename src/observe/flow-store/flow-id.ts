// What a stored record is called: when it begins and its number in the store, which is also where a page in the order of time ends.
import type { PagePlace } from './question.ts';

interface Stored {
  readonly sequence: number;
  readonly log: { readonly startTime: number };
}

export function formatFlowId({ sequence, log }: Stored): string {
  return `${log.startTime}.${sequence}`;
}

/** undefined = it is no such name. */
export function parseFlowId(text: string): PagePlace | undefined {
  const [, time, sequence] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  return time === undefined || sequence === undefined ? undefined : { time: Number(time), sequence: Number(sequence) };
}
