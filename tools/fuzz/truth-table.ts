// The reference evaluator's answers for every pair of a world's addresses and every protocol and port that is asked about:
// what the harness holds the programs to. Looks nothing up in compiled tables.
import type { Family, IpAddress } from '../../src/model/address.ts';
import { formatAddress } from '../../src/model/address.ts';
import type { Flow } from '../../src/model/flow.ts';
import { isLinkScopeDiscovery } from '../../src/model/link-scope.ts';
import type { ReferenceEvaluator } from '../../src/model/reference/evaluator.ts';
import type { SideVerdict } from '../../src/model/verdict.ts';

/** What a flow is besides its addresses. */
export type Combo = Omit<Flow, 'source' | 'destination'>;

/** Bits of one answer; the harness has the same in world.h. */
const ANSWER = { NONE: 0, ALLOW: 1, DENY: 2, UNKNOWN: 3, INGRESS_SHIFT: 2, EGRESS_LOG: 16, INGRESS_LOG: 32 } as const;

const ICMP_KINDS: readonly (readonly [type: number, code: number])[] = [
  [8, 0],
  [0, 0],
  [3, 1],
  [3, 4],
  [11, 0],
  [12, 0],
  [5, 1],
  [13, 0],
];
const ICMPV6_KINDS: readonly (readonly [type: number, code: number])[] = [
  [128, 0],
  [129, 0],
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 0],
  [135, 0],
  [137, 0],
];
const BARE_PROTOCOLS = [2, 4, 41, 47, 50, 51, 59, 255] as const;

/** Every protocol with ports from every port to every port, ICMP of both kinds, some bare protocols. */
export function combosOf(ports: readonly number[]): Combo[] {
  const combos: Combo[] = [];
  for (const protocol of [6, 17, 132, 136]) {
    const some = protocol === 6 || protocol === 17 ? ports : ports.slice(0, 3);
    for (const sourcePort of some)
      for (const destinationPort of some)
        combos.push({ protocol, sourcePort, destinationPort, icmpType: 0, icmpCode: 0 });
  }
  for (const [icmpType, icmpCode] of ICMP_KINDS) combos.push({ ...bare(1), icmpType, icmpCode });
  for (const [icmpType, icmpCode] of ICMPV6_KINDS) combos.push({ ...bare(58), icmpType, icmpCode });
  return [...combos, ...BARE_PROTOCOLS.map(bare)];
}

function bare(protocol: number): Combo {
  return { protocol, sourcePort: 0, destinationPort: 0, icmpType: 0, icmpCode: 0 };
}

/** One byte for each source, destination and combo, in this order; addresses are of one family. */
export function answersOf(
  evaluator: ReferenceEvaluator,
  addresses: readonly IpAddress[],
  combos: readonly Combo[],
): Uint8Array {
  const answers = new Uint8Array(addresses.length ** 2 * combos.length);
  const isOwned = addresses.map((address) => evaluator.endpointAt(address) !== undefined);
  let at = 0;
  for (const [from, source] of addresses.entries()) {
    for (const [to, destination] of addresses.entries()) {
      for (const combo of combos) {
        if (isOwned[from] || isOwned[to]) answers[at] = answerOf(evaluator, { source, destination, ...combo });
        at += 1;
      }
    }
  }
  return answers;
}

/** A flow cannot say its hop limit, on which it depends whether discovery passes before policy: no answer. */
function answerOf(evaluator: ReferenceEvaluator, flow: Flow): number {
  if (isLinkScopeDiscovery(flow)) return ANSWER.UNKNOWN | (ANSWER.UNKNOWN << ANSWER.INGRESS_SHIFT);
  const { egress, ingress } = evaluator.evaluate(flow);
  const logged = (egress?.isLogged ? ANSWER.EGRESS_LOG : 0) | (ingress?.isLogged ? ANSWER.INGRESS_LOG : 0);
  return sideOf(egress) | (sideOf(ingress) << ANSWER.INGRESS_SHIFT) | logged;
}

function sideOf(side: SideVerdict | null): number {
  if (side === null) return ANSWER.NONE;
  return side.verdict === 'allow' ? ANSWER.ALLOW : ANSWER.DENY;
}

/** Each address once, at most so many of a family, those that come first. */
export function chooseAddresses(all: readonly IpAddress[], family: Family, limit: number): IpAddress[] {
  const seen = new Map<string, IpAddress>();
  for (const address of all) {
    if (address.family !== family || seen.size === limit) continue;
    if (!isMapped(address)) seen.set(formatAddress(address), address);
  }
  return [...seen.values()];
}

function isMapped({ words }: IpAddress): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}
