// The named sets and maps of one nftables table. Equal contents share a set. Part of nftables-text.ts.
import type { Cidr, Family } from '../../model/address.ts';
import { protocolName } from '../../model/flow.ts';
import { prefixText, rangeText } from './nftables-values.ts';
import type { DispatchTable, Side, Tuple, TupleField, TupleValue } from './program.ts';

const ELEMENTS_PER_LINE = 8;
const FIELD_TYPES: Readonly<Record<TupleField, string>> = {
  source: 'address',
  destination: 'address',
  protocol: 'inet_proto',
  sourcePort: 'inet_service',
  destinationPort: 'inet_service',
};

export class NftablesSets {
  readonly #addressType: string;
  readonly #byContent = new Map<string, string>();
  readonly #definitions: string[] = [];

  constructor(family: Family) {
    this.#addressType = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  }

  /** Name of a set with these addresses. */
  addresses(prefixes: readonly Cidr[]): string {
    const hasNets = prefixes.some((cidr) => !isHost(cidr));
    return this.#set(this.#addressType, hasNets, prefixes.map(prefixText));
  }

  /** Name of a set with these tuples. */
  tuples(fields: readonly TupleField[], tuples: readonly Tuple[]): string {
    const type = fields.map((field) => FIELD_TYPES[field].replace('address', this.#addressType)).join(' . ');
    const hasRanges = tuples.some((tuple) => tuple.some(isRange));
    return this.#set(
      type,
      hasRanges,
      tuples.map((tuple) => tuple.map(valueText).join(' . ')),
    );
  }

  /** Name of a map from each address to its chain. */
  dispatch(side: Side, by: 'jump' | 'goto', chains: DispatchTable): string {
    const name = side === 'source' ? 'senders' : 'receivers';
    const elements = [...chains.values()].map(({ address, chain }) => `${prefixText(address)} : ${by} ${chain}`);
    const key = `${name}:${elements.join()}`;
    if (!this.#byContent.has(key)) {
      this.#byContent.set(key, name);
      this.#define(`map ${name}`, `${this.#addressType} : verdict`, false, elements);
    }
    return name;
  }

  /** Lines of a table's body. */
  definitions(): readonly string[] {
    return this.#definitions;
  }

  #set(type: string, isInterval: boolean, elements: readonly string[]): string {
    const key = `${type}:${elements.join()}`;
    const known = this.#byContent.get(key);
    if (known !== undefined) return known;
    const name = `s${this.#byContent.size + 1}`;
    this.#byContent.set(key, name);
    this.#define(`set ${name}`, type, isInterval, elements);
    return name;
  }

  #define(title: string, type: string, isInterval: boolean, elements: readonly string[]): void {
    this.#definitions.push(`  ${title} {`, `    type ${type}`);
    if (isInterval) this.#definitions.push('    flags interval');
    this.#definitions.push('    elements = {');
    for (let first = 0; first < elements.length; first += ELEMENTS_PER_LINE) {
      this.#definitions.push(`      ${elements.slice(first, first + ELEMENTS_PER_LINE).join(', ')},`);
    }
    this.#definitions.push('    }', '  }');
  }
}

function isHost({ length, words }: Cidr): boolean {
  return length === words.length * 32;
}

function isRange(value: TupleValue): boolean {
  if (value.kind === 'prefix') return !isHost(value.cidr);
  return value.kind === 'ports' && value.range.first !== value.range.last;
}

function valueText(value: TupleValue): string {
  if (value.kind === 'prefix') return prefixText(value.cidr);
  return value.kind === 'ports' ? rangeText(value.range) : protocolName(value.protocol).toLowerCase();
}
