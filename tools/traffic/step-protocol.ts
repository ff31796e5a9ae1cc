// What is said between a test and the step server of a machine: one JSON object a line, both ways. Types alone.

/** To the machine. Every start has an id of its own; what follows under it belongs to that process. */
export type StepRequest =
  | { readonly id: number; readonly step: 'start'; readonly argv: readonly string[] }
  | { readonly id: number; readonly step: 'input'; readonly text: string }
  | { readonly id: number; readonly step: 'end-input' }
  | { readonly id: number; readonly step: 'kill'; readonly signal: NodeJS.Signals }
  | { readonly id: number; readonly step: 'write'; readonly path: string; readonly text: string }
  /** GET of an agent's API. */
  | { readonly id: number; readonly step: 'ask'; readonly socket: string; readonly path: string };

/** From the machine. `ready` once at first; a process ends with exactly one `exit` or `failed`, any other step with one too. */
export type StepAnswer =
  | { readonly say: 'ready' }
  | { readonly id: number; readonly say: 'stdout' | 'stderr'; readonly text: string }
  | { readonly id: number; readonly say: 'exit'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly id: number; readonly say: 'answer'; readonly text: string }
  | { readonly id: number; readonly say: 'failed'; readonly why: string };
