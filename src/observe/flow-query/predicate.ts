// A filter as a function on flow logs: for those that are followed as they come.
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';
import { addressKey } from './address-key.ts';
import type { FlowCondition, FlowFilter, NumberField, TextField } from './filter.ts';
import { pendingAction, policiesOf, serviceOf } from './log-texts.ts';
import { matchesWildcard } from './wildcard.ts';

export type FlowPredicate = (log: FlowLog) => boolean;

const TEXTS: Readonly<Record<TextField, (log: FlowLog) => string>> = {
  node: ({ node }) => node,
  protocol: ({ protocol }) => protocol,
  reason: ({ reason = '' }) => reason,
  state: ({ state = '' }) => state,
  action: ({ action }) => action,
  reporter: ({ reporter }) => reporter,
  pending: pendingAction,
  service: serviceOf,
};

const NUMBERS: Readonly<Record<NumberField, (log: FlowLog) => number>> = {
  bytes: ({ bytesIn, bytesOut }) => bytesIn + bytesOut,
  packets: ({ packetsIn, packetsOut }) => packetsIn + packetsOut,
  sourcePort: ({ source }) => source.port,
  destinationPort: ({ destination }) => destination.port,
};

export function predicateOf(filter: FlowFilter): FlowPredicate {
  switch (filter.kind) {
    case 'and': {
      const operands = filter.operands.map(predicateOf);
      return (log) => operands.every((holds) => holds(log));
    }
    case 'or': {
      const operands = filter.operands.map(predicateOf);
      return (log) => operands.some((holds) => holds(log));
    }
    case 'not': {
      const holds = predicateOf(filter.operand);
      return (log) => !holds(log);
    }
    default:
      return conditionOf(filter);
  }
}

function conditionOf(condition: FlowCondition): FlowPredicate {
  switch (condition.kind) {
    case 'text': {
      const { pattern, field } = condition;
      const read = TEXTS[field];
      return (log) => matchesWildcard(pattern, read(log));
    }
    case 'number': {
      const { field, low, high } = condition;
      const read = NUMBERS[field];
      return (log) => read(log) >= low && read(log) <= high;
    }
    case 'policy':
      return (log) => policiesOf(log).some((name) => matchesWildcard(condition.pattern, name));
    default: {
      const { side } = condition;
      const holds = endOf(condition);
      return (log) => holds(log[side]);
    }
  }
}

function endOf(condition: Extract<FlowCondition, { readonly side: unknown }>): (end: FlowEnd) => boolean {
  switch (condition.kind) {
    case 'namespace':
      return ({ namespace }) => matchesWildcard(condition.pattern, namespace);
    case 'name': {
      const { pattern, alike } = condition;
      return ({ name, aggregatedName }) =>
        matchesWildcard(pattern, name) || matchesWildcard(pattern, aggregatedName) || name === alike;
    }
    case 'label': {
      const { key, value } = condition;
      return ({ labels }) => Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    }
    case 'address': {
      const { low, high } = condition;
      return ({ address }) => {
        const text = addressKey(address);
        return text >= low && text <= high;
      };
    }
  }
}
