// What the kernel's side of a node was found to have lost, and got back. Plain data.

/** Every cause that is counted, with what was wrong. */
export const REPAIR_CAUSES = {
  'program-missing': 'a program was not on its interface any more',
  'program-replaced': 'another program was where ours was',
  'program-not-first': 'another program was in front of ours',
  'pin-missing': 'a pin of a link or a map was not there any more',
  'pin-replaced': 'a pin led to something else',
  'table-edited': 'a table of the kernel did not hold what the agent wrote',
  'interface-renamed': 'a guarded interface had another name',
  'interface-anew': 'an interface that had been guarded was made anew, or came back',
} as const;

export type RepairCause = keyof typeof REPAIR_CAUSES;

export interface Repair {
  readonly cause: RepairCause;
  /** Of the interface, pin or table. */
  readonly target: string;
  /** What exactly was found. */
  readonly found: string;
}
