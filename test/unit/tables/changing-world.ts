// Hand-made policies and addresses that change at random, and what compiled tables answer about them.
import type { PolicyList, ResolvedRule, ResolvedRules } from '../../../src/calc/resolved.ts';
import { type Cidr, cidrOf, type Family, type IpAddress } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';
import { DIRECTIONS } from '../../../src/model/policy.ts';
import type { TableCompiler } from '../../../src/tables/compiler.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { lookupWord } from '../../../src/tables/lookup.ts';
import { decodeWord } from '../../../src/tables/words.ts';
import type { Random } from '../../support/worlds/random.ts';
import { HandMadeState, listOf, ruleOf } from './hand-made.ts';

const SETS = 60;
/** More than a page has cells, so that ids come to be dealt out anew. */
const PORTS = 150;

/** Policies and addresses that change at random. */
export class ChangingWorld {
  readonly state = new HandMadeState();
  readonly #random: Random;
  readonly #rules: ResolvedRules[] = [];
  #version = 1;

  constructor(random: Random) {
    this.#random = random;
    for (let policy = 0; policy < 8; policy += 1) this.#rules.push(this.#newRules());
    for (let prefix = 0; prefix < 200; prefix += 1) this.state.put(this.#cidr(), random.between(1, SETS));
    for (let endpoint = 0; endpoint < 4; endpoint += 1) this.#setEndpoint(endpoint);
  }

  change(): void {
    const random = this.#random;
    const prefix = random.pick([...this.state.prefixes.values()]);
    random.weighted(
      [4, () => this.state.put(this.#cidr(), random.between(1, SETS))],
      [2, () => this.state.put(prefix.cidr, random.between(1, SETS))],
      [4, () => this.state.take(prefix.cidr, random.pick([...prefix.sets.keys()]))],
      [4, () => this.#changePolicy()],
      [1, () => this.#setEndpoint(random.between(0, 5))],
      [1, () => this.#growPrefixes()],
      [1, () => void this.state.endpoints.delete(`e${random.between(1, 5)}`)],
    );
  }

  flow(): Flow {
    const random = this.#random;
    const family: Family = random.chance(70) ? 4 : 6;
    return {
      source: this.#address(family),
      destination: this.#address(family),
      protocol: random.pick([PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.ICMP]),
      sourcePort: random.between(1, 5),
      destinationPort: random.between(1, PORTS + 1),
      icmpType: 0,
      icmpCode: 0,
    };
  }

  #growPrefixes(): void {
    for (let prefix = 0; prefix < 150; prefix += 1) this.state.put(this.#cidr(), this.#random.between(1, SETS));
  }

  #changePolicy(): void {
    this.#rules[this.#random.between(0, this.#rules.length - 1)] = this.#newRules();
    for (const key of [...this.state.endpoints.keys()])
      if (this.#random.chance(60)) this.#setEndpoint(Number(key.slice(1)));
  }

  #setEndpoint(number: number): void {
    this.state.setEndpoint(`e${number}`, this.#list('ingress'), this.#list('egress'));
  }

  #list(direction: 'ingress' | 'egress'): PolicyList {
    const random = this.#random;
    const some = this.#rules.map((rules, index) => ({ name: `p${index}`, rules, pass: random.chance(50) }));
    return listOf(
      direction,
      some.filter(() => random.chance(40)),
    );
  }

  #newRules(): ResolvedRules {
    const rules = (isIngress: boolean): ResolvedRule[] =>
      Array.from({ length: this.#random.between(0, 12) }, (_, index) => this.#rule(index, isIngress));
    return { version: this.#version++, ingress: rules(true), egress: rules(false) };
  }

  /** Conditions on the endpoint's own address are rare: each makes as many rows again. */
  #rule(index: number, isIngress: boolean): ResolvedRule {
    const random = this.#random;
    const side = (isPeer: boolean): ResolvedRule['source'] => ({
      within: random.chance(isPeer ? 70 : 1) ? [random.between(1, SETS)] : [],
      without: random.chance(isPeer ? 10 : 0) ? [random.between(1, SETS)] : [],
    });
    const first = random.between(1, PORTS);
    const last = random.chance(70) ? first : Math.min(PORTS, first + random.between(0, 20));
    return ruleOf(index, {
      action: random.pick(['allow', 'deny', 'pass', 'log'] as const),
      protocol: random.chance(80) ? random.pick([PROTOCOL.TCP, PROTOCOL.UDP]) : undefined,
      source: {
        ...side(isIngress),
        ports: random.chance(1) ? { ranges: [{ first: 1, last: 3 }], named: [] } : undefined,
      },
      destination: {
        ...side(!isIngress),
        ports: random.chance(80) ? { ranges: [{ first, last }], named: [] } : undefined,
      },
    });
  }

  #address(family: Family): IpAddress {
    const random = this.#random;
    const low =
      ((10 << 24) | (random.between(0, 2) << 16) | (random.between(0, 3) << 8) | random.between(0, 255)) >>> 0;
    return { family, words: family === 4 ? [low] : [0xfd00_0000 + random.between(0, 1), 0, random.between(0, 1), low] };
  }

  #cidr(): Cidr {
    const family: Family = this.#random.chance(70) ? 4 : 6;
    const longest = family === 4 ? 32 : 128;
    const length = this.#random.chance(40) ? longest : this.#random.between(this.#random.chance(5) ? 0 : 9, longest);
    return cidrOf(this.#address(family), length);
  }
}

/** Verdict and trace of each flow at each endpoint, in an order that does not depend on ids. */
export function answersOf(compiler: TableCompiler, image: TableImage, flows: readonly Flow[]): string[] {
  const arrays = { heap: compiler.heap.words, v6Nodes: compiler.v6Nodes.words };
  const answers = flows.flatMap((flow) =>
    [...image.endpointIds].flatMap(([key, id]) =>
      DIRECTIONS.map((direction) =>
        decodeWord(lookupWord(arrays, image.root, id, direction, flow), key, compiler.stories),
      ),
    ),
  );
  return answers.map((answer) => JSON.stringify(answer)).sort();
}
