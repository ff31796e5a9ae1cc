// What the reference evaluator says about probes, from the very manifests that an agent reads: the expectation of every host test
// that asks whole tables. Nothing here looks at the kernel.
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { buildWorld } from '../../../src/model/build-world.ts';
import { type Flow, hasPorts, PROTOCOL } from '../../../src/model/flow.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { readDirectory } from '../../../src/resources/sources/directory.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import type { ProbeRequest, Transport } from '../../../tools/lab/peer.ts';
import type { TruthCase } from '../../../tools/lab/truth-table.ts';

export interface Party {
  /** Name of its peer. */
  readonly name: string;
  /** One per family, IPv4 first. */
  readonly addresses: readonly string[];
}

export interface ProbeKind {
  readonly transport: Transport;
  readonly port?: number;
  readonly sourcePort?: number;
}

/** A denied cell costs this long; an open one answers at once, unless the machine is busy. */
const DENY_TIMEOUT_MS = 500;
const ALLOW_TIMEOUT_MS = 5000;
const ANY_SOURCE_PORT = 40_000;
const ECHO_REQUEST = { 4: 8, 6: 128 } as const;
const PROTOCOL_OF = { tcp: PROTOCOL.TCP, udp: PROTOCOL.UDP, sctp: PROTOCOL.SCTP } as const;

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an address: ${text}`);
  return parsed;
}

function flowOf(from: string, to: string, kind: ProbeKind): Flow {
  const source = address(from);
  const ping = source.family === 4 ? PROTOCOL.ICMP : PROTOCOL.ICMPV6;
  const protocol = kind.transport === 'icmp' ? ping : PROTOCOL_OF[kind.transport];
  const isPorted = hasPorts(protocol);
  return {
    source,
    destination: address(to),
    protocol,
    sourcePort: isPorted ? (kind.sourcePort ?? ANY_SOURCE_PORT) : 0,
    destinationPort: kind.port ?? 0,
    icmpType: isPorted ? 0 : ECHO_REQUEST[source.family],
    icmpCode: 0,
  };
}

export class PolicyTruth {
  readonly #evaluator: ReferenceEvaluator;

  /** Reads the manifests of a directory. Throws an ordinary Error if any of them is refused: the test's own fault. */
  constructor(manifests: string) {
    const { objects, errors } = readDirectory(manifests);
    const built = buildWorld(objects.values());
    const refused = [...errors, ...built.errors];
    if (refused.length > 0) throw new Error(refused.map((error) => error.message).join('\n'));
    this.#evaluator = new ReferenceEvaluator(built.world);
  }

  /** What the host itself sends is not judged; everything else is, at each end that is a workload. */
  isAllowed(from: Party, fromAddress: string, toAddress: string, kind: ProbeKind): boolean {
    return from.name === HOST || this.#evaluator.evaluate(flowOf(fromAddress, toAddress, kind)).verdict === 'allow';
  }

  /** Each ordered pair of different parties, each kind, in each family that both have. */
  cases(from: readonly Party[], to: readonly Party[], kinds: readonly ProbeKind[]): TruthCase[] {
    const pairs = from.flatMap((sender) =>
      to.filter((one) => one.name !== sender.name).map((one) => [sender, one] as const),
    );
    return pairs.flatMap(([sender, receiver]) =>
      receiver.addresses.flatMap((toAddress, family) =>
        kinds.map((kind) => this.#case(sender, sender.addresses[family] ?? '', receiver, toAddress, kind)),
      ),
    );
  }

  #case(from: Party, fromAddress: string, to: Party, toAddress: string, kind: ProbeKind): TruthCase {
    const isAllowed = this.isAllowed(from, fromAddress, toAddress, kind);
    const timeoutMs = isAllowed ? ALLOW_TIMEOUT_MS : DENY_TIMEOUT_MS;
    const request: ProbeRequest = { ...kind, address: toAddress, sourceAddress: fromAddress, timeoutMs };
    return { from: from.name, to: to.name, request, expected: [isAllowed ? 'open' : 'timeout'] };
  }
}
