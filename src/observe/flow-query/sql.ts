// A filter as a condition of SQL on the tables of flow-store/schema.ts. What asks about a name, a label or a trait is asked of the
// dictionaries, once for each of their rows. What the user wrote is only ever in the parameters.
import type { FlowCondition, FlowFilter, FlowSide, NumberField, TextField } from './filter.ts';
import { escapeItem, labelItem, labelKey, SEPARATOR } from './log-texts.ts';
import { hasWildcard, likePattern, regexOf } from './wildcard.ts';

export type SqlValue = string | number;

/** What a statement calls the rows of flows, and those of the dictionaries that a flow has the numbers of. */
export const FLOW = 'f';
export type DictionaryAlias = 's' | 'd' | 't';
const ENDS: Readonly<Record<FlowSide, DictionaryAlias>> = { source: 's', destination: 'd' };

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
  bytes: `(${FLOW}.bytes_in + ${FLOW}.bytes_out)`,
  packets: `(${FLOW}.packets_in + ${FLOW}.packets_out)`,
  sourcePort: `${FLOW}.src_port`,
  destinationPort: `${FLOW}.dst_port`,
};

const ADDRESSES: Readonly<Record<FlowSide, string>> = {
  source: `${FLOW}.src_address`,
  destination: `${FLOW}.dst_address`,
};

/**
 * Values of a statement in the order in which the text names them: as variables, because only of those the database knows the
 * value when it plans, and so which files and blocks of rows it need not read.
 */
export class SqlParameters {
  readonly values: SqlValue[] = [];

  /** What stands for the value in the text. */
  add(value: SqlValue): string {
    const known = this.values.indexOf(value);
    if (known < 0) this.values.push(value);
    return `getvariable('${variableName(known < 0 ? this.values.length : known + 1)}')`;
  }
}

/** Of the value of that place, counted from 1. */
export function variableName(place: number): string {
  return `flow_value_${place}`;
}

/** A filter in SQL: `where` speaks of flows, and of what is asked of each dictionary by the names of askedName. */
export interface FilterSql {
  readonly where: string;
  readonly asked: Readonly<Record<DictionaryAlias, readonly string[]>>;
}

/** Of what is asked of a dictionary at that place. */
export function askedName(place: number): string {
  return `asked_${place}`;
}

/** The condition, with its values put behind those that are there. */
export function sqlOf(filter: FlowFilter, parameters: SqlParameters): FilterSql {
  const asked = { s: [], d: [], t: [] };
  return { where: new FilterWriter(asked, parameters).write(filter), asked };
}

class FilterWriter {
  readonly #asked: Readonly<Record<DictionaryAlias, string[]>>;
  readonly #parameters: SqlParameters;

  constructor(asked: Readonly<Record<DictionaryAlias, string[]>>, parameters: SqlParameters) {
    this.#asked = asked;
    this.#parameters = parameters;
  }

  write(filter: FlowFilter): string {
    switch (filter.kind) {
      case 'and':
      case 'or': {
        const [word, empty] = filter.kind === 'and' ? [' AND ', 'true'] : [' OR ', 'false'];
        const operands = filter.operands.map((operand) => this.write(operand));
        return operands.length === 0 ? empty : `(${operands.join(word)})`;
      }
      case 'not':
        return `NOT ${this.write(filter.operand)}`;
      default:
        return this.#condition(filter);
    }
  }

  #condition(condition: FlowCondition): string {
    const parameters = this.#parameters;
    switch (condition.kind) {
      case 'number':
        return between(NUMBER_COLUMNS[condition.field], condition, parameters);
      case 'address':
        return between(ADDRESSES[condition.side], condition, parameters);
      case 'text':
        return this.#ask('t', pattern(TEXT_COLUMNS[condition.field], condition.pattern, parameters));
      case 'policy':
        return this.#ask('t', policy(escapeItem(condition.pattern), parameters));
      case 'namespace':
        return this.#ask(ENDS[condition.side], pattern('namespace', condition.pattern, parameters));
      case 'name': {
        const { alike } = condition;
        const names = ['name', 'aggregated'].map((name) => pattern(name, condition.pattern, parameters));
        // As it is: the star of an aggregate's name stands for nothing.
        if (alike !== undefined) names.push(`name = ${parameters.add(alike)}`);
        return this.#ask(ENDS[condition.side], `(${names.join(' OR ')})`);
      }
      case 'label':
        return this.#ask(ENDS[condition.side], label(condition, parameters));
    }
  }

  #ask(alias: DictionaryAlias, expression: string): string {
    const asked = this.#asked[alias];
    if (!asked.includes(expression)) asked.push(expression);
    return `${alias}.${askedName(asked.indexOf(expression))}`;
  }
}

function label({ key, value }: { readonly key: string; readonly value?: string }, parameters: SqlParameters): string {
  const item = value === undefined ? `${labelKey(key)}=` : labelItem(key, value);
  const wanted = `${SEPARATOR}${escapeItem(item)}${value === undefined ? '' : SEPARATOR}`;
  return `contains(labels, ${parameters.add(wanted)})`;
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
