// Whether a sentence of a difference speaks of a flow, read from what is printed and from nothing else: names, addresses,
// prefixes and the words for services.
import type { Sentence, Side } from '../../../src/analysis/diff/difference.ts';
import { containsAddress, formatAddress, type IpAddress, parseCidr } from '../../../src/model/address.ts';
import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';
import { type Flow, hasPorts, isIcmp } from '../../../src/model/flow.ts';
import type { World } from '../../../src/model/world.ts';
import { protocolNumber } from '../../../src/resources/protocols.ts';

export class SentenceReader {
  /** By address: the endpoint that has it, by name, if it is the same before and after. */
  readonly #kept = new Map<string, string>();
  readonly #owned = new Set<string>();

  constructor(before: World, after: World) {
    const names = [namesOf(before), namesOf(after)] as const;
    const [then, now] = [ownersOf(before), ownersOf(after)];
    for (const address of [...then.keys(), ...now.keys()]) {
      this.#owned.add(address);
      const [a, b] = [then.get(address), now.get(address)];
      if (a === undefined || a.key !== b?.key) continue;
      const isUnique = names.every((keys) => (keys.get(a.displayName)?.size ?? 1) === 1);
      this.#kept.set(address, isUnique ? a.displayName : a.key);
    }
  }

  covers({ rectangles, services }: Sentence, flow: Flow): boolean {
    return (
      rectangles.some(
        ({ family, from, to }) =>
          family === flow.source.family && this.#isOn(from, flow.source) && this.#isOn(to, flow.destination),
      ) && services.some((text) => serviceCovers(text, flow))
    );
  }

  #isOn({ endpoints, addresses, outside }: Side, address: IpAddress): boolean {
    const text = formatAddress(address);
    if (addresses.includes(text)) return true;
    const name = this.#kept.get(text);
    if (name !== undefined) {
      return 'allBut' in endpoints ? !endpoints.allBut.includes(name) : endpoints.includes(name);
    }
    if (this.#owned.has(text)) return false;
    const isIn = (texts: readonly string[]): boolean =>
      texts.some((cidr) => containsAddress(parseCidr(cidr) as NonNullable<ReturnType<typeof parseCidr>>, address));
    return isIn(outside.networks) && !isIn(outside.except);
  }
}

function ownersOf({ workloadEndpoints }: World): Map<string, WorkloadEndpoint> {
  const owners = new Map<string, WorkloadEndpoint>();
  for (const endpoint of workloadEndpoints.values()) {
    for (const address of endpoint.addresses) owners.set(formatAddress(address), endpoint);
  }
  return owners;
}

function namesOf({ workloadEndpoints }: World): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { displayName, key } of workloadEndpoints.values()) {
    names.set(displayName, (names.get(displayName) ?? new Set()).add(key));
  }
  return names;
}

/** Whether the words, as docs/diff.md explains them, are about the flow's protocol, ports, type and code. */
export function serviceCovers(text: string, flow: Flow): boolean {
  const [, words = '', sourcePorts] = /^(.*?)(?: from source ports? ([\d, -]+))?$/.exec(text) ?? [];
  if (sourcePorts !== undefined && !(hasPorts(flow.protocol) && isListed(sourcePorts, flow.sourcePort))) return false;
  if (words === 'everything') return true;
  const but = /^everything but (.*)$/.exec(words);
  if (but !== null) return !splitItems(but[1] as string).some((item) => itemCovers(item, flow));
  return itemCovers(words, flow);
}

/** A list continues with numbers: `TCP 1, 2, UDP 5` has two items. */
function splitItems(text: string): string[] {
  return text.split(/, (?=[A-Zae]|protocol)/);
}

function itemCovers(item: string, flow: Flow): boolean {
  const numbers = /^protocols? ([\d, -]+)$/.exec(item);
  if (numbers !== null) return isListed(numbers[1] as string, flow.protocol);
  const [, but = '', name = '', rest = ''] = /^(all |every )?(\S+)(.*)$/.exec(item) ?? [];
  if (protocolNumber(name) !== flow.protocol) return false;
  if (but === 'all ' && rest === '') return true;
  if (but === 'every ') return !isListed(rest.replace(/^ port but /, ''), flow.destinationPort);
  if (isIcmp(flow.protocol)) {
    return but === 'all ' ? !icmpCovers(rest.replace(/^ but /, ''), flow) : icmpCovers(rest.trim(), flow);
  }
  return isListed(rest.trim(), flow.destinationPort);
}

/** `types 0-3, 8, type 11 code 0`. */
function icmpCovers(text: string, { icmpType, icmpCode }: Flow): boolean {
  return text.split(/, (?=type)/).some((item) => {
    const [, types = '', codes] = /^types? ([\d, -]+?)(?: codes? ([\d, -]+))?$/.exec(item) ?? [];
    return isListed(types, icmpType) && (codes === undefined || isListed(codes, icmpCode));
  });
}

function isListed(text: string, number: number): boolean {
  return text.split(', ').some((item) => {
    const [first, last = first] = item.split('-').map(Number) as [number, number?];
    return first <= number && number <= (last as number);
  });
}
