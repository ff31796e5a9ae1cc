// What a verdict comes down to: the view that counts, and the entries that decided. Shared by the questions of
// simulate, test and matrix; no names, no text.
import type { Flow } from '../model/flow.ts';
import type { Direction } from '../model/policy.ts';
import type { TraceEntry } from '../model/trace.ts';
import { combineSides, type FlowVerdict, type SideVerdict } from '../model/verdict.ts';

/** Any engine. */
export type Judge = (flow: Flow) => FlowVerdict;

/** `pending` = as if every staged policy were enforced. */
export type View = 'enforced' | 'pending';

export interface Decision {
  readonly direction: Direction;
  readonly entry: TraceEntry;
}

/** The verdict in that view; sides that no staged policy governs are the same in both. */
export function viewOf(verdict: FlowVerdict, view: View): FlowVerdict {
  return view === 'enforced' ? verdict : combineSides(pendingSide(verdict.egress), pendingSide(verdict.ingress));
}

/** The last trace entries of the sides that made the verdict: those that deny, or both when all allow. */
export function decisionsOf({ verdict, egress, ingress }: FlowVerdict): Decision[] {
  return [decisionOf('egress', egress), decisionOf('ingress', ingress)]
    .filter((side) => side !== undefined)
    .filter((side) => side.verdict === verdict)
    .map(({ direction, entry }) => ({ direction, entry }));
}

/** `<tier>|<kind>:[<namespace>/]<name>|<action>|<rule>`: a trace entry without its position. */
export function formatEntry({ tier, kind, namespace, name, action, ruleIndex }: TraceEntry): string {
  return `${tier}|${kind}:${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}|${action}|${ruleIndex}`;
}

/** `file:line`, or nothing for what is built in. */
export function formatLocation({ location }: TraceEntry): string | undefined {
  return location === undefined || location.file === '' ? undefined : `${location.file}:${location.line}`;
}

function pendingSide(side: SideVerdict | null): SideVerdict | null {
  if (side?.pending === undefined) return side;
  const { endpoint, isLogged, pending } = side;
  return { endpoint, isLogged, ...pending };
}

function decisionOf(direction: Direction, side: SideVerdict | null) {
  const entry = side?.trace.at(-1);
  return side === null || entry === undefined ? undefined : { direction, entry, verdict: side.verdict };
}
