// What a filter of flows can ask: a tree of conditions on flow logs. It is made by parse-filter.ts from text and by filter-options.ts
// from options, and compiled by predicate.ts for flows as they come and by sql.ts for those that are stored.

export type FlowSide = 'source' | 'destination';

/** Columns of text that a pattern is held against. */
export type TextField = 'node' | 'protocol' | 'reason' | 'state' | 'action' | 'reporter' | 'pending' | 'service';

export type NumberField = 'bytes' | 'packets' | 'sourcePort' | 'destinationPort';

export type FlowFilter =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly FlowFilter[] }
  | { readonly kind: 'not'; readonly operand: FlowFilter }
  | FlowCondition;

export type FlowCondition =
  | { readonly kind: 'text'; readonly field: TextField; readonly pattern: string }
  | { readonly kind: 'namespace'; readonly side: FlowSide; readonly pattern: string }
  /** Of the object itself, or as flows of many alike are put together; `alike` = what an aggregate calls an object of that name. */
  | { readonly kind: 'name'; readonly side: FlowSide; readonly pattern: string; readonly alike?: string }
  /** value undefined = has the label, whatever its value. */
  | { readonly kind: 'label'; readonly side: FlowSide; readonly key: string; readonly value?: string }
  /** As address-key.ts writes addresses; both ends included. */
  | { readonly kind: 'address'; readonly side: FlowSide; readonly low: string; readonly high: string }
  /** Any policy of the enforced or the pending trace. */
  | { readonly kind: 'policy'; readonly pattern: string }
  /** Both ends included. */
  | { readonly kind: 'number'; readonly field: NumberField; readonly low: number; readonly high: number };

/** Lets every flow through. */
export const EVERY_FLOW: FlowFilter = Object.freeze({ kind: 'and', operands: Object.freeze([]) });

/** How much a filter may hold: conditions, and `*` of one pattern. */
export const MAX_CONDITIONS = 256;
export const MAX_WILDCARDS = 8;
export const MAX_FILTER_LENGTH = 8192;

export function allOf(operands: readonly FlowFilter[]): FlowFilter {
  return operands.length === 1 ? (operands[0] as FlowFilter) : { kind: 'and', operands };
}

export function anyOf(operands: readonly FlowFilter[]): FlowFilter {
  return operands.length === 1 ? (operands[0] as FlowFilter) : { kind: 'or', operands };
}

/** A name there is just that name: whoever leaves a pod out does not leave out all of its kind. */
export function noneOf(operand: FlowFilter): FlowFilter {
  return { kind: 'not', operand: exactly(operand) };
}

function exactly(filter: FlowFilter): FlowFilter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, operands: filter.operands.map(exactly) };
    case 'not':
      return { kind: 'not', operand: exactly(filter.operand) };
    case 'name': {
      const { alike: _, ...name } = filter;
      return name;
    }
    default:
      return filter;
  }
}

/** Of either end. */
export function ofEitherSide(make: (side: FlowSide) => FlowFilter): FlowFilter {
  return anyOf([make('source'), make('destination')]);
}

/** All that it asks, wherever it stands. */
export function conditionsOf(filter: FlowFilter): readonly FlowCondition[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.flatMap(conditionsOf);
    case 'not':
      return conditionsOf(filter.operand);
    default:
      return [filter];
  }
}

export function countConditions(filter: FlowFilter): number {
  return conditionsOf(filter).length;
}
