// Flow logs -> columns of the store's tables. What a dictionary has already is written as its number.
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';
import {
  type ColumnType,
  type ColumnValue,
  END_COLUMNS,
  ENDS,
  FLOW_COLUMNS,
  FLOWS,
  TABLES,
  type TableName,
  TRAIT_COLUMNS,
  TRAITS,
} from './schema.ts';

/** Values by column of each table; of dictionaries what they have not yet. */
export type EncodedLogs = Readonly<Record<TableName, readonly (readonly ColumnValue[])[]>>;

/** Where numbers begin in a file. */
export interface NextIds {
  readonly ends: number;
  readonly traits: number;
}

export const FIRST_IDS: NextIds = { ends: 1, traits: 1 };

/** What one dictionary remembers; one that is met again after it was forgotten is written again, under another number. */
const MAX_ENTRIES = 65_536;
const MAX_KEY_CHARACTERS = 16 * 1024 * 1024;
/** In no storable text. */
const NULL_KEY = '\ud800';

/** For one file. After a write that failed it knows of rows that are not there: a new one must be made. */
export class LogEncoder {
  readonly #ends: Dictionary<FlowEnd>;
  readonly #traits: Dictionary<FlowLog>;

  constructor(next: NextIds = FIRST_IDS) {
    this.#ends = new Dictionary(END_COLUMNS, next.ends);
    this.#traits = new Dictionary(TRAIT_COLUMNS, next.traits);
  }

  /** Above all numbers that it has given. */
  get next(): NextIds {
    return { ends: this.#ends.next, traits: this.#traits.next };
  }

  /** The first of the logs gets this sequence number. */
  encode(logs: readonly FlowLog[], firstSequence: number): EncodedLogs {
    const flows = [
      logs.map((_, index) => BigInt(firstSequence + index)),
      logs.map(({ source }) => this.#ends.idOf(source)),
      logs.map(({ destination }) => this.#ends.idOf(destination)),
      logs.map((log) => this.#traits.idOf(log)),
      ...FLOW_COLUMNS.map(({ type, read }) => logs.map((log) => storable(type, read(log)))),
    ];
    return { [FLOWS]: flows, [ENDS]: this.#ends.takeNew(), [TRAITS]: this.#traits.takeNew() };
  }
}

type DictionaryColumns<T> = readonly {
  readonly type: ColumnType;
  readonly read: (from: T) => string | number | undefined;
}[];

class Dictionary<T> {
  readonly #columns: DictionaryColumns<T>;
  readonly #ids = new Map<string, number>();
  #characters = 0;
  #next: number;
  #new: ColumnValue[][];

  constructor(columns: DictionaryColumns<T>, next: number) {
    this.#columns = columns;
    this.#next = next;
    this.#new = emptyColumns(columns.length + 1);
  }

  get next(): number {
    return this.#next;
  }

  idOf(from: T): number {
    const values = this.#columns.map(({ type, read }) => storable(type, read(from)));
    const key = values.map((value) => value ?? NULL_KEY).join('\0');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#next;
    this.#next += 1;
    this.#remember(key, id);
    for (const [index, value] of [id, ...values].entries()) (this.#new[index] as ColumnValue[]).push(value);
    return id;
  }

  /** By column. */
  takeNew(): ColumnValue[][] {
    const rows = this.#new;
    this.#new = emptyColumns(this.#columns.length + 1);
    return rows;
  }

  #remember(key: string, id: number): void {
    if (this.#ids.size >= MAX_ENTRIES || this.#characters + key.length > MAX_KEY_CHARACTERS) {
      this.#ids.clear();
      this.#characters = 0;
    }
    this.#ids.set(key, id);
    this.#characters += key.length;
  }
}

function emptyColumns(count: number): ColumnValue[][] {
  return Array.from({ length: count }, () => []);
}

function storable(type: ColumnType, value: string | number | undefined): ColumnValue {
  if (value === undefined) return null;
  if (type === 'BIGINT') return wholeOf(value);
  return typeof value === 'string' ? storableText(value) : value;
}

/** Counts are whole and not negative; what is no number at all must not cost the other rows. */
function wholeOf(value: string | number): bigint {
  const number = Math.trunc(Number(value));
  return Number.isSafeInteger(number) ? BigInt(number) : 0n;
}

/** NUL ends a text for some who read the files. Text has no lone surrogates in UTF-8. */
function storableText(value: string): string {
  return value.replaceAll(/\p{Surrogate}|\0/gu, '\ufffd');
}

/** How many rows there are of a table. */
export function rowCount(columns: readonly (readonly ColumnValue[])[]): number {
  return columns[0]?.length ?? 0;
}

/** Types of a table's columns. */
export function typesOf(table: TableName): ColumnType[] {
  return TABLES[table].map(({ type }) => type);
}
