// What `nft -f` would make of the text that is printed for it: exactly the expressions that are printed, in the meaning
// that nft(8) gives them. Anything else is an error.
import { type Cidr, containsAddress, type Family, formatAddress, parseCidr } from '../../../../src/model/address.ts';
import { hasPorts } from '../../../../src/model/flow.ts';
import type { MachineChains, MachinePacket, MachineRule, Step } from './rule-machine.ts';

type Test = (packet: MachinePacket) => boolean;
/** Whether the value of a field is in what an element says. */
type Field = { readonly holds: (packet: MachinePacket, text: string) => boolean; readonly isThere?: Test };

interface Table {
  readonly sets: ReadonlyMap<string, readonly string[]>;
  readonly chains: Map<string, MachineRule[]>;
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['ipv6-icmp', 58],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
]);

/** The chains of one family's table; an empty map if there is none. */
export function nftablesMachine(text: string, family: Family): MachineChains {
  const name = family === 4 ? 'ip' : 'ip6';
  const body = new RegExp(
    `table ${name} tortie\\ndelete table ${name} tortie\\ntable ${name} tortie \\{\\n([\\s\\S]*?)\\n\\}\\n`,
  ).exec(text)?.[1];
  if (body === undefined) return new Map();
  const table: Table = { sets: setsOf(body), chains: new Map() };
  for (const [, chain = '', inside = ''] of body.matchAll(/^ {2}chain (\S+) \{\n([\s\S]*?)^ {2}\}/gm)) {
    const lines = inside.split('\n').map((line) => line.trim());
    const rules = lines.filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('type filter hook'));
    table.chains.set(
      chain,
      rules.map((line) => parseRule(line, table, family)),
    );
  }
  return table.chains;
}

function setsOf(body: string): Map<string, readonly string[]> {
  const sets = new Map<string, readonly string[]>();
  const block =
    /^ {2}(?:set|map) (\S+) \{\n {4}type ([^\n]+)\n( {4}flags interval\n)? {4}elements = \{\n([\s\S]*?)^ {4}\}/gm;
  for (const [, name = '', , flags, inside = ''] of body.matchAll(block)) {
    const elements = inside
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '');
    if (flags === undefined && elements.some((text) => /\/|\d-\d/.test(text.split(' : ')[0] ?? ''))) {
      throw new Error(`a range in set ${name} without intervals`);
    }
    if (new Set(elements).size !== elements.length) throw new Error(`an element twice in ${name}`);
    sets.set(name, elements);
  }
  return sets;
}

const VALUE = String.raw`(?:!= )?(?:\{ [^}]* \}|@\S+|\S+)`;
const FIELD =
  '(?:ip6? [sd]addr|meta l4proto|th [sd]port|(?:tcp|udp|sctp|udplite) [sd]port|icmp(?:v6)? (?:type|code)|@th,0,(?:8|16))';
const COMPARISON = new RegExp(`^(${FIELD}(?: \\. ${FIELD})*) (vmap )?(${VALUE})(?: |$)`);

function parseRule(line: string, table: Table, family: Family): MachineRule {
  const tests: Test[] = [];
  let rest = line;
  for (;;) {
    const mark = 'meta mark & 0x1 == 0x1 ';
    if (rest.startsWith(mark)) {
      tests.push((packet) => packet.isMarked);
      rest = rest.slice(mark.length);
      continue;
    }
    const known = 'ct state established,related ';
    if (rest.startsWith(known)) {
      tests.push(() => false);
      rest = rest.slice(known.length);
      continue;
    }
    const [all, names = '', vmap, value = ''] = COMPARISON.exec(rest) ?? [];
    if (all === undefined) break;
    rest = rest.slice(all.length);
    if (vmap !== undefined) return dispatchRule(names, value, table, line);
    tests.push(comparison(names.split(' . '), value, table, family));
  }
  const step = stepOf(rest, line);
  return { step: (packet) => (tests.every((test) => test(packet)) ? step : undefined) };
}

function comparison(names: readonly string[], text: string, table: Table, family: Family): Test {
  const isNegated = text.startsWith('!= ');
  const value = isNegated ? text.slice(3) : text;
  const fields = names.map((name) => fieldOf(name, family));
  const elements = elementsOf(value, table).map((element) => element.split(' . '));
  if (elements.some((element) => element.length !== fields.length)) throw new Error(`fields of ${text}`);
  return (packet) => {
    if (!fields.every(({ isThere }) => isThere?.(packet) ?? true)) return false;
    const isIn = elements.some((element) => fields.every(({ holds }, index) => holds(packet, element[index] ?? '')));
    return isIn !== isNegated;
  };
}

function elementsOf(value: string, { sets }: Table): readonly string[] {
  if (!value.startsWith('@')) return value.startsWith('{') ? value.slice(2, -2).split(', ') : [value];
  const elements = sets.get(value.slice(1));
  if (elements === undefined) throw new Error(`no set ${value}`);
  return elements;
}

function fieldOf(name: string, family: Family): Field {
  const [first = '', second = ''] = name.split(' ');
  if (second === 'saddr' || second === 'daddr') {
    if (first !== (family === 4 ? 'ip' : 'ip6')) throw new Error(`${name} in IPv${family}`);
    return addressField(second === 'saddr' ? 'source' : 'destination');
  }
  if (name === 'meta l4proto') return { holds: (packet, text) => packet.protocol === protocolOf(text) };
  if (second === 'sport' || second === 'dport') {
    const port = second === 'sport' ? 'sourcePort' : 'destinationPort';
    const isThere: Test = ({ protocol }) => (first === 'th' ? hasPorts(protocol) : protocol === PROTOCOLS.get(first));
    return { holds: (packet, text) => inRange(packet[port], text), isThere };
  }
  if (first === 'icmp' || first === 'icmpv6') {
    const number = second === 'type' ? 'icmpType' : 'icmpCode';
    return {
      holds: (packet, text) => packet[number] === Number(text),
      isThere: ({ protocol }) => protocol === PROTOCOLS.get(first),
    };
  }
  if (name === '@th,0,8') return { holds: ({ icmpType }, text) => icmpType === Number(text) };
  return { holds: ({ icmpType, icmpCode }, text) => icmpType * 256 + icmpCode === Number(text) };
}

function addressField(side: 'source' | 'destination'): Field {
  const parsed = new Map<string, Cidr>();
  return {
    holds: (packet, text) => {
      const cidr = parsed.get(text) ?? parseCidr(text, { strict: true });
      if (cidr === undefined) throw new Error(`prefix ${text}`);
      parsed.set(text, cidr);
      return containsAddress(cidr, packet[side]);
    },
  };
}

function dispatchRule(name: string, value: string, table: Table, line: string): MachineRule {
  const side = name.endsWith('saddr') ? 'source' : 'destination';
  const steps = new Map(
    elementsOf(value, table).map((element) => {
      const [address = '', step = ''] = element.split(' : ');
      return [address, stepOf(step, line)] as const;
    }),
  );
  return { step: (packet) => steps.get(formatAddress(packet[side])) };
}

function stepOf(text: string, line: string): Step {
  if (text === 'accept' || text === 'drop' || text === 'return') return { kind: text };
  const [, kind, chain = ''] = /^(jump|goto) (\S+)$/.exec(text) ?? [];
  if (kind === 'jump' || kind === 'goto') return { kind, chain };
  if (/^log prefix "[^"]{1,127}"$/.test(text)) return { kind: 'log' };
  if (text === 'meta mark set meta mark | 0x1') return { kind: 'mark', isSet: true };
  if (text === 'meta mark set meta mark & 0xfffffffe') return { kind: 'mark', isSet: false };
  throw new Error(`${text}: ${line}`);
}

function protocolOf(text: string): number {
  const number = PROTOCOLS.get(text) ?? Number(text);
  if (Number.isNaN(number)) throw new Error(`protocol ${text}`);
  return number;
}

function inRange(port: number, text: string): boolean {
  const [first = 0, last = first] = text.split('-').map(Number);
  return first <= port && port <= last;
}
