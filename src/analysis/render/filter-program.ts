// What a node must enforce -> the chains of one address family: who is judged by what, at which hook.
import type { DesiredState, PolicyList, ResolvedEndpoint } from '../../calc/resolved.ts';
import { type Cidr, type Family, formatCidr, hostCidr, parseCidr } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import { LINK_TYPES } from '../../model/link-scope.ts';
import type { Direction } from '../../model/policy.ts';
import { type CheckMatch, CLEAR_MARK, listChains, MARKING_CHAIN, type RuleStyle, SET_MARK } from './list-chains.ts';
import { hostList, type PrefixList } from './prefix-list.ts';
import type { Chain, DispatchTable, FilterProgram, FilterRule, Match, Side } from './program.ts';
import type { SetMembers } from './set-members.ts';
import { allowsEverything, tierParts } from './tier-parts.ts';

export interface ProgramOptions {
  readonly style: RuleStyle;
  /** Let packets of known connections pass first. */
  readonly conntrack: boolean;
}

/** Endpoints that one list judges, in one family. */
interface ListUsers {
  readonly list: PolicyList;
  readonly names: string[];
  readonly addresses: Cidr[];
}

const LINK_CHAIN = 'tortie-link';
const LINK_TYPES_CHAIN = 'tortie-link-types';
const LISTED_NAMES = 3;

/** The program of one family; its hooks are empty if no endpoint has an address. Throws NOT_EXPRESSIBLE. */
export function filterProgram(
  desired: DesiredState,
  family: Family,
  members: SetMembers,
  options: ProgramOptions,
  check: CheckMatch,
): FilterProgram {
  const judge = (direction: Direction): Judged => judgedBy(desired, direction, family, members, options, check);
  const [egress, ingress] = [judge('egress'), judge('ingress')];
  if (egress.entries.size + ingress.entries.size === 0) return { family, forward: [], input: [], chains: [] };
  const chains = [...egress.chains, ...ingress.chains];
  const usesMark = chains.some(({ rules }) =>
    rules.some(({ matches }) => matches.some(({ kind }) => kind === 'marked')),
  );
  const first: FilterRule[] = [
    ...(options.conntrack
      ? [{ matches: [{ kind: 'established' } as const], action: { kind: 'accept' } as const }]
      : []),
    ...(family === 6 ? [{ matches: [protocolIs(PROTOCOL.ICMPV6)], action: jumpTo(LINK_CHAIN) }] : []),
    ...(usesMark ? [CLEAR_MARK] : []),
  ];
  const senders = dispatch('source', egress.entries, options.style);
  const receivers = dispatch('destination', ingress.entries, options.style);
  return {
    family,
    forward: [...first, ...senders.rules, ...receivers.rules],
    input: egress.entries.size === 0 ? [] : [...first, ...senders.rules],
    chains: [
      ...(family === 6 ? linkChains() : []),
      ...(usesMark ? [{ name: MARKING_CHAIN, rules: [SET_MARK] }] : []),
      ...chains,
      ...senders.chains,
      ...receivers.chains,
    ],
  };
}

interface Judged {
  readonly chains: readonly Chain[];
  /** Chain of each address whose endpoint may be denied something. */
  readonly entries: DispatchTable;
}

function judgedBy(
  desired: DesiredState,
  direction: Direction,
  family: Family,
  members: SetMembers,
  { style }: ProgramOptions,
  check: CheckMatch,
): Judged {
  const chains: Chain[] = [];
  const entries = new Map<string, { readonly address: Cidr; readonly chain: string }>();
  for (const [index, { list, names, addresses }] of listUsers(desired, direction, family).entries()) {
    const local: PrefixList = hostList(addresses);
    const parts = tierParts(list, { family, direction, local, members });
    if (allowsEverything(parts)) continue;
    const name = `tortie-${direction === 'egress' ? 'e' : 'i'}${index + 1}`;
    const comment = `${direction} of ${describeNames(names)}`;
    chains.push(...listChains(parts, { name, direction, style, comment }, check));
    for (const address of local) entries.set(formatCidr(address), { address, chain: name });
  }
  return { chains, entries };
}

/** In the order of the first endpoint's key, so that the same policy is always rendered the same. */
function listUsers({ endpoints }: DesiredState, direction: Direction, family: Family): ListUsers[] {
  const users = new Map<PolicyList, ListUsers>();
  const sorted = [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, resolved] of sorted as readonly [string, ResolvedEndpoint][]) {
    const addresses = resolved.endpoint.addresses.filter((address) => address.family === family).map(hostCidr);
    if (addresses.length === 0) continue;
    const list = resolved[direction];
    const known = users.get(list) ?? { list, names: [], addresses: [] };
    known.names.push(resolved.endpoint.displayName);
    known.addresses.push(...addresses);
    users.set(list, known);
  }
  return [...users.values()];
}

function describeNames(names: readonly string[]): string {
  const listed = names.slice(0, LISTED_NAMES).join(', ');
  return names.length > LISTED_NAMES ? `${listed} and ${names.length - LISTED_NAMES} more` : listed;
}

/** A sender's chain returns, so that its receiver is judged; a receiver's is the last word. */
function dispatch(
  side: Side,
  entries: DispatchTable,
  style: RuleStyle,
): { readonly rules: readonly FilterRule[]; readonly chains: readonly Chain[] } {
  const by = side === 'source' ? 'jump' : 'goto';
  const [only] = entries.values();
  if (only === undefined) return { rules: [], chains: [] };
  const of = (address: Cidr): Match => ({ kind: 'address', side, prefixes: [address], isNegated: false });
  if (entries.size === 1) {
    return { rules: [{ matches: [of(only.address)], action: { kind: by, chain: only.chain } }], chains: [] };
  }
  if (style === 'sets')
    return { rules: [{ matches: [], action: { kind: 'dispatch', side, by, chains: entries } }], chains: [] };
  const name = side === 'source' ? 'tortie-egress' : 'tortie-ingress';
  const rules = [...entries.values()].map(
    ({ address, chain }): FilterRule => ({ matches: [of(address)], action: { kind: 'goto', chain } }),
  );
  return { rules: [{ matches: [], action: { kind: by, chain: name } }], chains: [{ name, rules }] };
}

/** See isLinkScopeDiscovery. */
function linkChains(): Chain[] {
  const ends: readonly (readonly [Side, string])[] = [
    ['source', '::/128'],
    ['source', 'fe80::/10'],
    ['destination', 'fe80::/10'],
    ['destination', 'ff02::/16'],
  ];
  return [
    {
      name: LINK_CHAIN,
      comment: 'neighbour discovery passes before policy',
      rules: ends.map(([side, text]) => ({
        matches: [{ kind: 'address', side, prefixes: [parseCidr(text) as Cidr], isNegated: false }],
        action: { kind: 'goto', chain: LINK_TYPES_CHAIN },
      })),
    },
    {
      name: LINK_TYPES_CHAIN,
      rules: [...LINK_TYPES].map((type) => ({
        matches: [protocolIs(PROTOCOL.ICMPV6), { kind: 'icmp', type, isNegated: false }],
        action: { kind: 'accept' },
      })),
    },
  ];
}

function protocolIs(protocol: number): Match {
  return { kind: 'protocol', protocols: [protocol], isNegated: false };
}

function jumpTo(chain: string): { readonly kind: 'jump'; readonly chain: string } {
  return { kind: 'jump', chain };
}
