// What iptables-restore would make of the text that is printed for it: exactly the options that are printed, in the
// meaning that iptables-extensions(8) gives them. Anything else is an error.
import { type Cidr, containsAddress, parseCidr } from '../../../../src/model/address.ts';
import type { MachineChains, MachinePacket, MachineRule, Step } from './rule-machine.ts';

type Test = (packet: MachinePacket) => boolean;

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['tcp', 6],
  ['udp', 17],
  ['sctp', 132],
  ['udplite', 136],
]);
const PORT_PROTOCOLS: ReadonlySet<number> = new Set(PROTOCOLS.values());
const BUILT_IN: readonly string[] = ['INPUT', 'FORWARD'];

export function iptablesMachine(text: string): MachineChains {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.shift() !== '*filter' || lines.pop() !== 'COMMIT') throw new Error('is not one filter table');
  const chains = new Map<string, MachineRule[]>();
  for (const line of lines) {
    const declared = /^:(\S{1,28}) (ACCEPT|-) \[0:0\]$/.exec(line);
    if (declared !== null) {
      const [, name = '', policy] = declared;
      if ((policy === 'ACCEPT') !== BUILT_IN.includes(name)) throw new Error(`odd policy: ${line}`);
      chains.set(name, []);
      continue;
    }
    const [, name = '', rest = ''] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    const rules = chains.get(name);
    if (rules === undefined) throw new Error(`no such chain: ${line}`);
    rules.push(parseRule(wordsOf(rest), line));
  }
  return chains;
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function parseRule(words: string[], line: string): MachineRule {
  const tests: Test[] = [];
  const loaded = new Set<string>();
  const seen = new Set<string>();
  let step: Step | undefined;
  let protocol: number | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const isNegated = word === '!';
    const option = isNegated ? (words.shift() ?? '') : word;
    const value = words.shift() ?? '';
    if (option === '-m') {
      loaded.add(value);
      seen.delete('--match');
      continue;
    }
    if (option === '-j' || option === '-g') {
      step = target(option, value, words);
      if (words.length > 0) throw new Error(`words after the target: ${line}`);
      break;
    }
    if (['-p', '-s', '-d'].includes(option) && seen.has(option)) throw new Error(`${option} twice: ${line}`);
    seen.add(option);
    if (option === '-p' && !isNegated) protocol = PROTOCOLS.get(value) ?? Number(value);
    const test = testOf(option, value, { protocol, loaded, line });
    tests.push(isNegated ? (packet) => !test(packet) : test);
  }
  if (step === undefined) throw new Error(`no target: ${line}`);
  const final = step;
  return { step: (packet) => (tests.every((test) => test(packet)) ? final : undefined) };
}

interface Context {
  readonly protocol: number | undefined;
  readonly loaded: ReadonlySet<string>;
  readonly line: string;
}

function testOf(option: string, value: string, { protocol, loaded, line }: Context): Test {
  const needs = (module: string, ...protocols: readonly number[]): void => {
    const isAllowed = protocols.length === 0 || (protocol !== undefined && protocols.includes(protocol));
    if (!loaded.has(module) || !isAllowed) throw new Error(`${option} without -m ${module} or its protocol: ${line}`);
  };
  switch (option) {
    case '-p': {
      const number = PROTOCOLS.get(value) ?? Number(value);
      if (!(number > 0 && number <= 255)) throw new Error(`protocol: ${line}`);
      return (packet) => packet.protocol === number;
    }
    case '-s':
    case '-d': {
      const cidr = cidrOf(value);
      return (packet) => containsAddress(cidr, option === '-s' ? packet.source : packet.destination);
    }
    case '--sport':
    case '--dport':
      needs([...PROTOCOLS].find(([, number]) => number === protocol)?.[0] ?? '', 6, 17, 132);
      return portTest(option, value, 1);
    case '--sports':
    case '--dports':
      needs('multiport', ...PORT_PROTOCOLS);
      return portTest(option, value, 15);
    case '--icmp-type':
      needs('icmp', 1);
      if (value.startsWith('255')) throw new Error(`every type: ${line}`);
      return icmpTest(value);
    case '--icmpv6-type':
      needs('icmp6', 58);
      return icmpTest(value);
    case '--u32':
      needs('u32');
      return u32Test(value);
    case '--mark':
      needs('mark');
      if (value !== '0x1/0x1') throw new Error(`mark: ${line}`);
      return (packet) => packet.isMarked;
    case '--ctstate':
      needs('conntrack');
      return () => false;
    default:
      throw new Error(`${option}: ${line}`);
  }
}

function portTest(option: string, value: string, slots: number): Test {
  const ranges = value.split(',').map((text) => text.split(':').map(Number));
  if (ranges.flat().length > Math.max(slots, 2) || ranges.flat().some(Number.isNaN)) throw new Error(`ports ${value}`);
  return (packet) => {
    const port = option.startsWith('--s') ? packet.sourcePort : packet.destinationPort;
    return ranges.some(([first = 0, last = first]) => first <= port && port <= last);
  };
}

function icmpTest(value: string): Test {
  const [type, code] = value.split('/').map(Number);
  return ({ icmpType, icmpCode }) => icmpType === type && (code === undefined || icmpCode === code);
}

/** The first two bytes behind an IPv4 header. */
function u32Test(value: string): Test {
  const [, shift, wanted] = /^0>>22&0x3C@0>>(24|16)=(\d+)$/.exec(value) ?? [];
  if (wanted === undefined) throw new Error(`u32 ${value}`);
  return ({ icmpType, icmpCode }) => (shift === '24' ? icmpType : icmpType * 256 + icmpCode) === Number(wanted);
}

function target(option: string, name: string, words: string[]): Step {
  if (option === '-g') return { kind: 'goto', chain: name };
  switch (name) {
    case 'ACCEPT':
    case 'DROP':
    case 'RETURN':
      return { kind: name.toLowerCase() as 'accept' | 'drop' | 'return' };
    case 'LOG': {
      const [flag, prefix = ''] = words.splice(0, 2);
      if (flag !== '--log-prefix' || prefix.length > 29) throw new Error(`LOG ${flag} ${prefix}`);
      return { kind: 'log' };
    }
    case 'MARK': {
      const [flag, value] = words.splice(0, 2);
      if (flag !== '--set-xmark' || !/^0x[01]\/0x1$/.test(value ?? '')) throw new Error(`MARK ${flag} ${value}`);
      return { kind: 'mark', isSet: value === '0x1/0x1' };
    }
    default:
      return { kind: 'jump', chain: name };
  }
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text, { strict: true });
  if (cidr === undefined) throw new Error(`prefix ${text}`);
  return cidr;
}
