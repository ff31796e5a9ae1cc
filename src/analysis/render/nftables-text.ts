// A filter program as text for `nft -f`: one table per family, replaced as a whole when it is loaded again.
import type { PortRange } from '../../calc/resolved.ts';
import type { Cidr, Family } from '../../model/address.ts';
import { hasPorts, PROTOCOL } from '../../model/flow.ts';
import { NftablesSets } from './nftables-sets.ts';
import { prefixText, rangeText } from './nftables-values.ts';
import type { Action, FilterProgram, FilterRule, Match, Side } from './program.ts';

export const NFT_TABLE = 'tortie';
/** Lists up to this size are written where they are used. */
const INLINE_VALUES = 8;
const LOG_PREFIX = 100;

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.ICMP, 'icmp'],
  [PROTOCOL.TCP, 'tcp'],
  [PROTOCOL.UDP, 'udp'],
  [PROTOCOL.ICMPV6, 'ipv6-icmp'],
  [PROTOCOL.SCTP, 'sctp'],
  [PROTOCOL.UDPLITE, 'udplite'],
]);

/** '' = nothing is judged in this family. */
export function nftablesText(program: FilterProgram): string {
  return program.forward.length === 0 ? '' : new NftablesPrinter(program).print();
}

class NftablesPrinter {
  readonly #program: FilterProgram;
  readonly #sets: NftablesSets;
  readonly #ip: string;

  constructor(program: FilterProgram) {
    this.#program = program;
    this.#sets = new NftablesSets(program.family);
    this.#ip = program.family === 4 ? 'ip' : 'ip6';
  }

  print(): string {
    const { forward, input, chains } = this.#program;
    const bodies = [
      ...chains.flatMap(({ name, rules, comment }) => this.#chain(name, [], rules, comment)),
      ...this.#chain('forward', ['type filter hook forward priority filter; policy accept;'], forward),
      ...(input.length === 0
        ? []
        : this.#chain('input', ['type filter hook input priority filter; policy accept;'], input)),
    ];
    const table = `table ${this.#ip} ${NFT_TABLE}`;
    return [table, `delete ${table}`, `${table} {`, ...this.#sets.definitions(), ...bodies, '}', ''].join('\n');
  }

  #chain(name: string, head: readonly string[], rules: readonly FilterRule[], comment?: string): string[] {
    const lines = [...head];
    for (const rule of rules) {
      if (rule.comment !== undefined) lines.push(`# ${rule.comment}`);
      lines.push(this.#rule(rule));
    }
    const title = comment === undefined ? [] : [`  # ${comment}`];
    return [...title, `  chain ${name} {`, ...lines.map((line) => `    ${line}`), '  }'];
  }

  #rule({ matches, action }: FilterRule): string {
    const protocol = fixedProtocol(matches);
    const parts = matches.map((match) => this.#match(match, matches, protocol)).filter((text) => text !== '');
    return [...parts, this.#action(action)].join(' ');
  }

  #match(match: Match, all: readonly Match[], protocol: number | undefined): string {
    switch (match.kind) {
      case 'protocol':
        return isImplied(match, all, this.#program.family) ? '' : this.#protocol(match);
      case 'address':
        return `${this.#ip} ${addressField(match.side)} ${not(match)}${this.#addresses(match.prefixes)}`;
      case 'ports':
        return `${PROTOCOL_NAMES.get(protocol as number)} ${portField(match.side)} ${not(match)}${portsText(match.ranges)}`;
      case 'icmp':
        return icmpText(match, this.#program.family, protocol);
      case 'tuples': {
        const fields = match.fields.map((field) => FIELD_TEXT[field].replace('ip ', `${this.#ip} `));
        return `${fields.join(' . ')} ${not(match)}@${this.#sets.tuples(match.fields, match.tuples)}`;
      }
      case 'marked':
        return 'meta mark & 0x1 == 0x1';
      case 'established':
        return 'ct state established,related';
    }
  }

  #protocol({ protocols, isNegated }: Extract<Match, { kind: 'protocol' }>): string {
    const names = protocols.map((protocol) => PROTOCOL_NAMES.get(protocol) ?? String(protocol));
    const text = names.length === 1 ? names[0] : `{ ${names.join(', ')} }`;
    return `meta l4proto ${isNegated ? '!= ' : ''}${text}`;
  }

  #addresses(prefixes: readonly Cidr[]): string {
    if (prefixes.length > INLINE_VALUES) return `@${this.#sets.addresses(prefixes)}`;
    const texts = prefixes.map(prefixText);
    return texts.length === 1 ? (texts[0] as string) : `{ ${texts.join(', ')} }`;
  }

  #action(action: Action): string {
    switch (action.kind) {
      case 'accept':
      case 'drop':
      case 'return':
        return action.kind;
      case 'jump':
      case 'goto':
        return `${action.kind} ${action.chain}`;
      case 'log':
        return `log prefix "${action.prefix.slice(0, LOG_PREFIX)}"`;
      case 'mark':
        return `meta mark set meta mark ${action.isSet ? '| 0x1' : '& 0xfffffffe'}`;
      case 'dispatch': {
        const field = `${this.#ip} ${addressField(action.side)}`;
        return `${field} vmap @${this.#sets.dispatch(action.side, action.by, action.chains)}`;
      }
    }
  }
}

const FIELD_TEXT = {
  source: 'ip saddr',
  destination: 'ip daddr',
  protocol: 'meta l4proto',
  sourcePort: 'th sport',
  destinationPort: 'th dport',
} as const;

function portsText(ranges: readonly PortRange[]): string {
  const texts = ranges.map(rangeText);
  return texts.length === 1 ? (texts[0] as string) : `{ ${texts.join(', ')} }`;
}

function addressField(side: Side): string {
  return side === 'source' ? 'saddr' : 'daddr';
}

function portField(side: Side): string {
  return side === 'source' ? 'sport' : 'dport';
}

/** Whether another match of the rule brings its protocol along. */
function isImplied(
  { protocols, isNegated }: Extract<Match, { kind: 'protocol' }>,
  all: readonly Match[],
  family: Family,
): boolean {
  const [only] = protocols;
  if (protocols.length !== 1 || isNegated || only === undefined) return false;
  if (hasPorts(only)) return all.some(({ kind }) => kind === 'ports');
  return all.some((match) => match.kind === 'icmp' && isNamed(match, family, only));
}

/** Whether nft's own words for ICMP say it: one number compared, in the family that the protocol is at home in. */
function isNamed({ code, isNegated }: Extract<Match, { kind: 'icmp' }>, family: Family, protocol: number | undefined) {
  if (isNegated && code !== undefined) return false;
  return protocol === (family === 4 ? PROTOCOL.ICMP : PROTOCOL.ICMPV6);
}

/** Elsewhere the first bytes of the transport header: type, then code. */
function icmpText(match: Extract<Match, { kind: 'icmp' }>, family: Family, protocol: number | undefined): string {
  const { type, code } = match;
  if (isNamed(match, family, protocol)) {
    const name = family === 4 ? 'icmp' : 'icmpv6';
    const typeText = `${name} type ${not(match)}${type}`;
    return code === undefined ? typeText : `${typeText} ${name} code ${code}`;
  }
  if (code === undefined) return `@th,0,8 ${not(match)}${type}`;
  return `@th,0,16 ${not(match)}${type * 256 + code}`;
}

function fixedProtocol(matches: readonly Match[]): number | undefined {
  for (const match of matches) {
    if (match.kind === 'protocol' && !match.isNegated && match.protocols.length === 1) return match.protocols[0];
  }
  return undefined;
}

function not({ isNegated }: { readonly isNegated: boolean }): string {
  return isNegated ? '!= ' : '';
}
