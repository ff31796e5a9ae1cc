// Expectations of a file of policy tests -> the flows they speak of: every pair of addresses of one family that the two
// ends have, for every port. Names are looked up in the world that the tests are about.
import { DataplaneError } from '../base/errors.ts';
import { type Family, formatAddress, type IpAddress, parseAddress } from '../model/address.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import { type Flow, hasPorts, isIcmp, PROTOCOL, protocolName } from '../model/flow.ts';
import type { EndpointNames } from './endpoint-names.ts';
import { echoRequestType } from './flow-logs/recorded-flow.ts';
import type { TestService } from './policy-tests-parse.ts';
import { PING } from './policy-tests-schema.ts';

export interface TestCell {
  readonly flow: Flow;
  /** As the test, or the manifests, name them. */
  readonly from: string;
  readonly to: string;
}

interface TestEnd {
  readonly label: string;
  readonly addresses: readonly IpAddress[];
  readonly endpoint?: WorkloadEndpoint;
}

export interface CellQuestion {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly service: TestService;
  readonly sourcePort?: number;
}

const EPHEMERAL_PORT = 32_768;
const FAMILIES: readonly Family[] = [4, 6];

export class TestCells {
  readonly #names: EndpointNames;

  constructor(names: EndpointNames) {
    this.#names = names;
  }

  /** At least one. Throws NOT_FOUND for an unknown end or port name, INVALID_FIELD when no packet can be asked about. */
  of(question: CellQuestion): readonly TestCell[] {
    const cells = this.#pairs(question, true).flatMap(([from, to]) => cellsBetween(from, to, question, requirePort));
    if (cells.length > 0) return cells;
    throw new DataplaneError('INVALID_FIELD', 'the two ends have no address in common that the protocol can use', {
      operation: 'test',
      target: `${question.from.join(', ')} -> ${question.to.join(', ')}`,
      expected: 'addresses of one family; ICMP needs IPv4, ICMPv6 needs IPv6',
    });
  }

  /** Each end with each other end if policy of one is asked; a port name concerns ends that have it. Throws NOT_FOUND. */
  between(ends: readonly string[], services: readonly TestService[]): readonly TestCell[] {
    return services.flatMap((service) => {
      const question = { from: ends, to: ends, service };
      return this.#pairs(question, false)
        .filter(([from, to]) => from.endpoint !== undefined || to.endpoint !== undefined)
        .flatMap(([from, to]) => cellsBetween(from, to, question, namedPort));
    });
  }

  #pairs({ from, to }: CellQuestion, mayMeetItself: boolean): readonly (readonly [TestEnd, TestEnd])[] {
    const sources = this.#ends(from);
    const destinations = this.#ends(to);
    const isOne = mayMeetItself && sources.length === 1 && destinations.length === 1;
    return sources.flatMap((source) =>
      destinations
        .filter((destination) => isOne || destination.label !== source.label)
        .map((to) => [source, to] as const),
    );
  }

  #ends(texts: readonly string[]): readonly TestEnd[] {
    const ends = new Map<string, TestEnd>();
    for (const text of texts)
      for (const end of this.#end(text)) ends.set(`${end.label} ${end.endpoint?.key ?? ''}`, end);
    return [...ends.values()];
  }

  #end(text: string): readonly TestEnd[] {
    const address = parseAddress(text);
    if (address !== undefined)
      return [{ label: formatAddress(address), addresses: [address], endpoint: this.#names.at(address) }];
    const found = this.#names.matching(text);
    if (found.length > 0) {
      return found.map((endpoint) => ({ label: endpoint.displayName, addresses: endpoint.addresses, endpoint }));
    }
    const nearest = this.#names.nearest(text);
    throw new DataplaneError('NOT_FOUND', 'no such workload endpoint', {
      operation: 'test',
      target: text,
      expected: 'an address, or <namespace>/<name> of a workload endpoint in the manifests',
      hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
    });
  }
}

/** Text that is equal for equal flows, whatever they were asked as. */
export function flowKey({ source, destination, protocol, destinationPort, icmpType, icmpCode }: Flow): string {
  return [formatAddress(source), formatAddress(destination), protocol, destinationPort, icmpType, icmpCode].join(' ');
}

type PortLookup = (end: TestEnd, protocol: number, name: string) => number | undefined;

function cellsBetween(from: TestEnd, to: TestEnd, question: CellQuestion, lookup: PortLookup): TestCell[] {
  const cells: TestCell[] = [];
  for (const family of FAMILIES) {
    const protocol = protocolIn(question.service, family);
    if (protocol === undefined) continue;
    const sources = from.addresses.filter((address) => address.family === family);
    const destinations = to.addresses.filter((address) => address.family === family);
    for (const port of question.service.ports) {
      const number = typeof port === 'string' ? lookup(to, protocol, port) : (port ?? 0);
      if (number === undefined) continue;
      for (const source of sources) {
        for (const destination of destinations) {
          const flow = flowOf(source, destination, protocol, number, question);
          cells.push({ flow, from: from.label, to: to.label });
        }
      }
    }
  }
  return cells;
}

function flowOf(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  destinationPort: number,
  { service, sourcePort = EPHEMERAL_PORT }: CellQuestion,
): Flow {
  const withIcmp = isIcmp(protocol);
  return {
    source,
    destination,
    protocol,
    sourcePort: hasPorts(protocol) ? sourcePort : 0,
    destinationPort,
    icmpType: withIcmp ? (service.icmpType ?? echoRequestType(protocol)) : 0,
    icmpCode: withIcmp ? (service.icmpCode ?? 0) : 0,
  };
}

/** undefined = the family does not carry it. */
export function protocolIn({ protocol }: Pick<TestService, 'protocol'>, family: Family): number | undefined {
  if (protocol === PING) return family === 4 ? PROTOCOL.ICMP : PROTOCOL.ICMPV6;
  if (protocol === PROTOCOL.ICMP && family === 6) return undefined;
  return protocol === PROTOCOL.ICMPV6 && family === 4 ? undefined : protocol;
}

function namedPort({ endpoint }: TestEnd, protocol: number, name: string): number | undefined {
  return endpoint?.ports.find((port) => port.name === name && port.protocol === protocol)?.port;
}

function requirePort(end: TestEnd, protocol: number, name: string): number {
  const port = namedPort(end, protocol, name);
  if (port !== undefined) return port;
  const known = (end.endpoint?.ports ?? []).map((own) => `${protocolName(own.protocol)} ${own.name}`);
  throw new DataplaneError('NOT_FOUND', `no ${protocolName(protocol)} port of that name`, {
    operation: 'test',
    target: end.label,
    found: name,
    expected: known.length === 0 ? 'a number: it has no named ports' : `a number or one of: ${known.join(', ')}`,
  });
}
