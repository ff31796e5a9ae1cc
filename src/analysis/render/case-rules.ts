// One case of a rule as filter rules. `sets`: one rule, whose conditions may each list many values. `linear`: every
// condition has one value; lists become rules, and where two lists meet, chains. Part of the chain builder.
import type { PortRange } from '../../calc/resolved.ts';
import { type Cidr, formatCidr } from '../../model/address.ts';
import { groupRanges, joinRanges } from './port-ranges.ts';
import { type Match, SIDES, type Side, type Tuple } from './program.ts';
import type { RuleCase } from './rule-case.ts';
import type { Holder } from './side-case.ts';

/** As many ports as one multiport match of iptables holds. */
const PORT_SLOTS = 15;

/** Matches that must all hold. */
export type Conjunction = readonly Match[];

/** A case with one value to each match. */
export interface LinearCase {
  /** The protocol, if it is one: part of `simple`, and of every rule elsewhere that compares ports or ICMP types. */
  readonly fixed: Conjunction;
  readonly simple: Conjunction;
  /** Of each list one must hold; every list has at least two. Fewer alternatives first. */
  readonly choices: readonly (readonly Conjunction[])[];
  /** None may hold. */
  readonly exceptions: readonly Conjunction[];
}

/** The matches of a case when a match may list many values. */
export function setMatches({ protocol, sides, icmp, notIcmp }: RuleCase): Match[] {
  const matches: Match[] = [];
  if ('is' in protocol) matches.push(protocolMatch([protocol.is], false));
  else if (protocol.not.length > 0) matches.push(protocolMatch(protocol.not, true));
  for (const side of SIDES) {
    const { within, without } = sides[side];
    if (within !== undefined) matches.push({ kind: 'address', side, prefixes: within, isNegated: false });
    if (without.length > 0) matches.push({ kind: 'address', side, prefixes: without, isNegated: true });
  }
  for (const side of SIDES) {
    const { ports, notPorts, holders, notHolders } = sides[side];
    if (ports !== undefined) matches.push({ kind: 'ports', side, ranges: ports, isNegated: false });
    if (notPorts.length > 0) matches.push({ kind: 'ports', side, ranges: notPorts, isNegated: true });
    if (holders !== undefined) matches.push(...holderMatch(side, holders, false));
    if (notHolders.length > 0) matches.push(...holderMatch(side, notHolders, true));
  }
  if (icmp !== undefined) matches.push({ kind: 'icmp', ...icmp, isNegated: false });
  if (notIcmp !== undefined) matches.push({ kind: 'icmp', ...notIcmp, isNegated: true });
  return matches;
}

/** The matches of a case when each match has one value. */
export function linearCase(ruleCase: RuleCase): LinearCase {
  const { protocol, sides, icmp, notIcmp } = ruleCase;
  const fixed: Match[] = 'is' in protocol ? [protocolMatch([protocol.is], false)] : [];
  const simple: Match[] = [...fixed];
  const choices: Conjunction[][] = [];
  const exceptions: Conjunction[] = [];
  const oneOf = (alternatives: Conjunction[]): unknown =>
    alternatives.length === 1 ? simple.push(...(alternatives[0] as Conjunction)) : choices.push(alternatives);
  const noneOf = (alternatives: readonly Conjunction[], isFieldFree: boolean): unknown => {
    const [only] = alternatives;
    if (alternatives.length === 1 && only?.length === 1 && isFieldFree) return simple.push(negated(only[0] as Match));
    for (const one of alternatives) exceptions.push(withProtocol(one, fixed));
    return undefined;
  };
  if ('not' in protocol)
    noneOf(
      protocol.not.map((one) => [protocolMatch([one], false)]),
      true,
    );
  for (const side of SIDES) {
    const { within, without, ports, notPorts, holders, notHolders } = sides[side];
    if (within !== undefined) oneOf(within.map((cidr) => [addressMatch(side, cidr)]));
    noneOf(
      without.map((cidr) => [addressMatch(side, cidr)]),
      within === undefined,
    );
    if (ports !== undefined) oneOf(portMatches(side, ports));
    noneOf(portMatches(side, notPorts), ports === undefined);
    if (holders !== undefined) oneOf(holderMatches(side, holders));
    noneOf(holderMatches(side, notHolders), false);
  }
  if (icmp !== undefined) simple.push({ kind: 'icmp', ...icmp, isNegated: false });
  if (notIcmp !== undefined) noneOf([[{ kind: 'icmp', ...notIcmp, isNegated: false }]], icmp === undefined);
  return { fixed, simple, choices: choices.sort((a, b) => a.length - b.length), exceptions };
}

/** For rules in chains of their own: ports and ICMP types are compared only where it is said of which protocol. */
export function withProtocol(matches: Conjunction, fixed: Conjunction): Conjunction {
  return matches.some(({ kind }) => kind === 'ports' || kind === 'icmp') ? [...fixed, ...matches] : matches;
}

function protocolMatch(protocols: readonly number[], isNegated: boolean): Match {
  return { kind: 'protocol', protocols, isNegated };
}

function addressMatch(side: Side, cidr: Cidr): Match {
  return { kind: 'address', side, prefixes: [cidr], isNegated: false };
}

function portMatches(side: Side, ranges: readonly PortRange[]): Conjunction[] {
  return groupRanges(ranges, PORT_SLOTS).map((group) => [{ kind: 'ports', side, ranges: group, isNegated: false }]);
}

/** By address, with all ports that it holds. */
function holderMatches(side: Side, holders: readonly Holder[]): Conjunction[] {
  const byAddress = new Map<string, { readonly cidr: Cidr; readonly ports: PortRange[] }>();
  for (const { cidr, port } of holders) {
    const key = formatCidr(cidr);
    const known = byAddress.get(key) ?? { cidr, ports: [] };
    known.ports.push({ first: port, last: port });
    byAddress.set(key, known);
  }
  return [...byAddress.values()].flatMap(({ cidr, ports }) =>
    portMatches(side, joinRanges(ports)).map((match) => [addressMatch(side, cidr), ...match]),
  );
}

function holderMatch(side: Side, holders: readonly Holder[], isNegated: boolean): Match[] {
  const [only] = holders;
  if (only !== undefined && holders.length === 1 && !isNegated) {
    const ranges = [{ first: only.port, last: only.port }];
    return [addressMatch(side, only.cidr), { kind: 'ports', side, ranges, isNegated: false }];
  }
  const tuples = holders.map(
    ({ cidr, port }): Tuple => [
      { kind: 'prefix', cidr },
      { kind: 'ports', range: { first: port, last: port } },
    ],
  );
  return [{ kind: 'tuples', fields: [side, `${side}Port`], tuples, isNegated }];
}

function negated(match: Match): Match {
  return 'isNegated' in match ? { ...match, isNegated: true } : match;
}
