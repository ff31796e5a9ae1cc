import { describe, expect, it } from 'vitest';
import { type Cidr, cidrOf, type Family } from '../../../src/model/address.ts';
import { type Flow, PROTOCOL } from '../../../src/model/flow.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import type { TableImage } from '../../../src/tables/image.ts';
import { lookupWord } from '../../../src/tables/lookup.ts';
import { decodeWord } from '../../../src/tables/words.ts';
import { HandMadeState, listOf, ruleOf } from '../tables/hand-made.ts';

const RULES = 100_000;
const PORTS = 1000;
/** First of the ports that rules are about. */
const FIRST_PORT = 1000;
const ENDPOINT = 'sender';

/** A network for each rule, none under another: a /24, or a /64. */
function networkOf(family: Family, rule: number): Cidr {
  return family === 4
    ? cidrOf({ family, words: [0x0b00_0000 + 256 * rule] }, 24)
    : cidrOf({ family, words: [0x2001_0db8, rule, 0, 0] }, 64);
}

/** Egress policy whose rules deny a port of a network each, and allow the rest of UDP at last. */
function stateOf(family: Family): HandMadeState {
  const state = new HandMadeState();
  const egress = Array.from({ length: RULES }, (_, index) => {
    const set = index + 1;
    state.put(networkOf(family, index), set);
    const port = FIRST_PORT + (index % PORTS);
    const destination = { within: [set], without: [], ports: { ranges: [{ first: port, last: port }], named: [] } };
    return ruleOf(index, { action: 'deny', protocol: PROTOCOL.UDP, destination });
  });
  egress.push(ruleOf(RULES, { protocol: PROTOCOL.UDP }));
  const rules = { version: 1, ingress: [], egress };
  state.setEndpoint(ENDPOINT, listOf('ingress', []), listOf('egress', [{ name: 'many', rules }]));
  return state;
}

function flowTo(family: Family, rule: number, destinationPort: number): Flow {
  const host = networkOf(family, rule);
  const words = host.words.map((word, index) => (index === host.words.length - 1 ? word + 7 : word));
  const source = family === 4 ? [0x0a00_0001] : [0xfd00_0000, 0, 0, 1];
  return {
    source: { family, words: source },
    destination: { family, words },
    protocol: PROTOCOL.UDP,
    sourcePort: 40_000,
    destinationPort,
    icmpType: 0,
    icmpCode: 0,
  };
}

/** The verdict and the rule that gave it. */
function answer(compiler: TableCompiler, image: TableImage, flow: Flow): string {
  const arrays = { heap: compiler.heap.words, v6Nodes: compiler.v6Nodes.words };
  const id = image.endpointIds.get(ENDPOINT) as number;
  const { verdict, trace } = decodeWord(lookupWord(arrays, image.root, id, 'egress', flow), ENDPOINT, compiler.stories);
  return `${verdict} by ${trace.map(({ ruleIndex }) => ruleIndex).join()}`;
}

describe(`${RULES} rules with a CIDR each`, () => {
  it.each([4, 6] as const)('compile within the default sizes and limits: IPv%i', { timeout: 120_000 }, (family) => {
    const compiler = new TableCompiler();
    const state = stateOf(family);
    const before = compiler.compile(state);
    // Each network, and what is outside them, in both families.
    expect(before.counts.addressClasses).toBe(RULES + 2);
    // There is room for a change beside it.
    state.put(networkOf(family, RULES), 1);
    const image = compiler.compile(state);
    for (let rule = 0; rule < RULES; rule += 997) {
      const port = FIRST_PORT + (rule % PORTS);
      expect(answer(compiler, image, flowTo(family, rule, port))).toBe(`deny by ${rule}`);
      expect(answer(compiler, image, flowTo(family, rule, port + 1))).toBe(`allow by ${RULES}`);
    }
    expect(answer(compiler, before, flowTo(family, RULES, FIRST_PORT))).toBe(`allow by ${RULES}`);
    expect(answer(compiler, image, flowTo(family, RULES, FIRST_PORT))).toBe('deny by 0');
  });
});
