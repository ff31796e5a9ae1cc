// Questions and answers of `tortie verdict` about packets past a host's interfaces: those that name a hook. This format
// is stable; see docs/verdict.md.
import { hasPorts } from './flow.ts';
import { parseFlowQuestion } from './flow-question.ts';
import type { Path, PathFlow, PathVerdict, StageVerdict } from './path.ts';
import { addressField, type Fields, invalidFlow, numberField } from './question-fields.ts';
import { formatTrace } from './trace.ts';

export interface PathQuestion {
  readonly id: unknown;
  readonly packet: PathFlow;
}

/** Which fields name interfaces, for each hook. */
const ENDS: Readonly<Record<Path['kind'], readonly ('in' | 'out')[]>> = {
  'to-host': ['in'],
  'from-host': ['out'],
  forward: ['in', 'out'],
};
const HOOKS = Object.keys(ENDS) as readonly Path['kind'][];
const HOOK_FIELDS = ['hook', 'in', 'out', 'dstBeforeNat', 'dstPortBeforeNat'] as const;

/** Whether the question is one of these, complete or not. */
export function isPathQuestion(question: unknown): boolean {
  if (typeof question !== 'object' || question === null) return false;
  return HOOK_FIELDS.some((name) => (question as Fields)[name] !== undefined);
}

/** Throws INVALID_FLOW naming the field. dstPortBeforeNat defaults to dstPort. */
export function parsePathQuestion(question: unknown): PathQuestion {
  const { id, flow } = parseFlowQuestion(question);
  const fields = question as Fields;
  const path = pathOf(fields);
  const { dstBeforeNat, dstPortBeforeNat } = fields;
  if (dstBeforeNat === undefined && dstPortBeforeNat === undefined) return { id, packet: { flow, path } };
  const field = dstBeforeNat === undefined ? 'dstPortBeforeNat' : 'dstBeforeNat';
  if (path.kind === 'from-host') {
    throw invalidFlow(id, field, 'is not part of from-host', fields[field], 'to-host or forward');
  }
  const destination = dstBeforeNat === undefined ? flow.destination : addressField(fields, 'dstBeforeNat');
  if (destination.family !== flow.source.family) {
    const expected = `an IPv${flow.source.family} address`;
    throw invalidFlow(id, 'dstBeforeNat', 'is of another address family than src', dstBeforeNat, expected);
  }
  const withPorts = hasPorts(flow.protocol);
  const destinationPort = withPorts ? numberField(fields, 'dstPortBeforeNat', 65535, flow.destinationPort) : 0;
  return { id, packet: { flow, path, beforeNat: { destination, destinationPort } } };
}

/** The answer to a question, as one JSON-ready object. */
export function formatPathAnswer(id: unknown, { verdict, stages }: PathVerdict): Record<string, unknown> {
  return { id, verdict, stages: stages.map(formatStage) };
}

function formatStage({ stage, endpoint, direction, verdict, trace, pending }: StageVerdict): Record<string, unknown> {
  const shown = { stage, endpoint, direction, verdict, trace: formatTrace(trace) };
  if (pending === undefined) return shown;
  return { ...shown, pending: { verdict: pending.verdict, trace: formatTrace(pending.trace) } };
}

function pathOf(fields: Fields): Path {
  const kind = HOOKS.find((hook) => hook === fields.hook);
  if (kind === undefined) throw invalidFlow(fields.id, 'hook', 'is not a hook', fields.hook, HOOKS.join(', '));
  for (const name of ['in', 'out'] as const) {
    if (ENDS[kind].includes(name) || fields[name] === undefined) continue;
    throw invalidFlow(fields.id, name, `is not part of ${kind}`, fields[name], `only ${ENDS[kind].join(' and ')}`);
  }
  if (kind === 'to-host') return { kind, in: interfaceField(fields, 'in') };
  if (kind === 'from-host') return { kind, out: interfaceField(fields, 'out') };
  return { kind, in: interfaceField(fields, 'in'), out: interfaceField(fields, 'out') };
}

function interfaceField(fields: Fields, name: 'in' | 'out'): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw invalidFlow(fields.id, name, 'is not an interface', value, "an interface's name");
}
