// Asks an evaluator every cell of a truth table. The evaluator gives answers, never expectations.
import { parseAddress } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';
import type { FlowVerdict, SideVerdict } from '../../../src/model/verdict.ts';
import { type Cell, describeCell } from './truth.ts';

const EPHEMERAL_PORT = 40_000;

export interface Judge {
  evaluate(flow: Flow): FlowVerdict;
}

/** The first packet of a cell's flow. */
export function flowOf({ source, destination, protocol, port, family }: Cell): Flow {
  const [from, to] = [source, destination].map(({ addresses }) => parseAddress(addresses[family === 4 ? 0 : 1] ?? ''));
  if (from === undefined || to === undefined)
    throw new Error(`no IPv${family} address: ${source.name}, ${destination.name}`);
  const numbers = { protocol: PROTOCOL[protocol], sourcePort: EPHEMERAL_PORT, destinationPort: port };
  return { source: from, destination: to, ...numbers, icmpType: 0, icmpCode: 0 };
}

export interface Judgement {
  /** One line for each cell that the judge sees otherwise. */
  readonly disagreements: readonly string[];
  /** What decided the sides: `<kind> <action>`, kind as traces spell it, `by default` where no rule matched. */
  readonly deciders: ReadonlySet<string>;
}

export function judgeCells(judge: Judge, cells: readonly Cell[]): Judgement {
  const disagreements: string[] = [];
  const deciders = new Set<string>();
  for (const cell of cells) {
    const { verdict, egress, ingress } = judge.evaluate(flowOf(cell));
    const expected = cell.isAllowed ? 'allow' : 'deny';
    if (verdict !== expected) disagreements.push(`${describeCell(cell)}: found ${verdict}, expected ${expected}`);
    for (const side of [egress, ingress]) deciders.add(describeDecider(side));
  }
  return { disagreements, deciders };
}

function describeDecider(side: SideVerdict | null): string {
  const last = side?.trace.at(-1);
  if (last === undefined) return 'nobody';
  return `${last.kind} ${last.action}${last.ruleIndex < 0 ? ' by default' : ''}`;
}
