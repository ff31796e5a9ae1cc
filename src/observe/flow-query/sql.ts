// A filter as a condition of SQL on the columns of flow-store/schema.ts. What the user wrote is only ever in the parameters.
import type { FlowCondition, FlowFilter, FlowSide, NumberField, TextField } from './filter.ts';
import { escapeItem, labelItem, labelKey, SEPARATOR } from './log-texts.ts';
import { hasWildcard, likePattern, regexOf } from './wildcard.ts';

export type SqlValue = string | number;

const TEXT_COLUMNS: Readonly<Record<TextField, string>> = {
  node: 'node',
  protocol: 'protocol',
  reason: "coalesce(reason, '')",
  state: "coalesce(state, '')",
  action: 'action',
  reporter: 'reporter',
  pending: 'pending_action',
  service: 'service',
};

const NUMBER_COLUMNS: Readonly<Record<NumberField, string>> = {
  bytes: '(bytes_in + bytes_out)',
  packets: '(packets_in + packets_out)',
  sourcePort: 'src_port',
  destinationPort: 'dst_port',
};

const PREFIX: Readonly<Record<FlowSide, string>> = { source: 'src', destination: 'dst' };

/**
 * Values of a statement in the order in which the text names them: as variables, because only of those the database knows the
 * value when it plans, and so which files and blocks of rows it need not read.
 */
export class SqlParameters {
  readonly values: SqlValue[] = [];

  /** What stands for the value in the text. */
  add(value: SqlValue): string {
    this.values.push(value);
    return `getvariable('${variableName(this.values.length)}')`;
  }
}

/** Of the value of that place, counted from 1. */
export function variableName(place: number): string {
  return `flow_value_${place}`;
}

/** The condition, with its values put behind those that are there. */
export function sqlOf(filter: FlowFilter, parameters: SqlParameters): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const [word, empty] = filter.kind === 'and' ? [' AND ', 'true'] : [' OR ', 'false'];
      const operands = filter.operands.map((operand) => sqlOf(operand, parameters));
      return operands.length === 0 ? empty : `(${operands.join(word)})`;
    }
    case 'not':
      return `NOT ${sqlOf(filter.operand, parameters)}`;
    default:
      return conditionOf(filter, parameters);
  }
}

function conditionOf(condition: FlowCondition, parameters: SqlParameters): string {
  switch (condition.kind) {
    case 'text':
      return pattern(TEXT_COLUMNS[condition.field], condition.pattern, parameters);
    case 'number':
      return between(NUMBER_COLUMNS[condition.field], condition, parameters);
    case 'namespace':
      return pattern(`${PREFIX[condition.side]}_namespace`, condition.pattern, parameters);
    case 'name': {
      const column = PREFIX[condition.side];
      const names = ['name', 'aggregated'].map((name) => pattern(`${column}_${name}`, condition.pattern, parameters));
      return `(${names.join(' OR ')})`;
    }
    case 'address':
      return between(`${PREFIX[condition.side]}_address`, condition, parameters);
    case 'label': {
      const { side, key, value } = condition;
      const item = value === undefined ? `${labelKey(key)}=` : labelItem(key, value);
      const wanted = `${SEPARATOR}${escapeItem(item)}${value === undefined ? '' : SEPARATOR}`;
      return `contains(${PREFIX[side]}_labels, ${parameters.add(wanted)})`;
    }
    case 'policy':
      return policy(escapeItem(condition.pattern), parameters);
  }
}

function policy(wanted: string, parameters: SqlParameters): string {
  if (!hasWildcard(wanted)) return `contains(policies, ${parameters.add(SEPARATOR + wanted + SEPARATOR)})`;
  const regex = `${SEPARATOR}${regexOf(wanted, SEPARATOR)}${SEPARATOR}`;
  return `regexp_matches(policies, ${parameters.add(regex)})`;
}

function pattern(column: string, wanted: string, parameters: SqlParameters): string {
  if (!hasWildcard(wanted)) return `${column} = ${parameters.add(wanted)}`;
  return `${column} LIKE ${parameters.add(likePattern(wanted))} ESCAPE '\\'`;
}

function between(
  column: string,
  { low, high }: { readonly low: SqlValue; readonly high: SqlValue },
  parameters: SqlParameters,
): string {
  return `${column} BETWEEN ${parameters.add(low)} AND ${parameters.add(high)}`;
}
