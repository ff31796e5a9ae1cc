// Packets -> connections: one for the first packet of each direction-less 5-tuple, replies folded into it. Remembers a
// bounded number of connections; the longest known is forgotten first.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';
import { isEcho, type Packet, TCP_FLAG } from './packet.ts';
import { RecentSet } from './recent-set.ts';
import { echoRequestType, type RecordedFlow } from './recorded-flow.ts';

export const DEFAULT_MAX_CONNECTIONS = 262_144;
/** net.ipv4.ip_local_port_range: clients' ports begin here, servers' are below. */
const FIRST_EPHEMERAL_PORT = 32_768;

export class Connections {
  readonly #known: RecentSet;
  #folded = 0;
  #turned = 0;

  constructor(limit = DEFAULT_MAX_CONNECTIONS) {
    this.#known = new RecentSet(limit);
  }

  /** Packets of connections that were known already, replies included. */
  get folded(): number {
    return this.#folded;
  }

  /** Connections of which the first packet seen was an answer: their direction is turned. */
  get turned(): number {
    return this.#turned;
  }

  /** Connections forgotten for want of room: if they went on they were counted again. */
  get forgotten(): number {
    return this.#known.forgotten;
  }

  /** The flow that the packet begins; undefined = it belongs to one that is known. */
  add(packet: Packet): RecordedFlow | undefined {
    const isTurned = isAnswer(packet);
    const first = isTurned ? turn(packet) : packet;
    const key = keyOf(first);
    if (this.#known.has(key)) {
      this.#folded += 1;
      return undefined;
    }
    if (isTurned) this.#turned += 1;
    this.#known.add(key);
    return toFlow(first);
  }
}

/** Only an answer can look like this: SYN with ACK, an echo reply, a packet from a server's to a client's port. */
function isAnswer({ protocol, icmpType, tcpFlags, sourcePort, destinationPort }: Packet): boolean {
  if (isEcho(protocol, icmpType)) return icmpType !== echoRequestType(protocol);
  if (protocol === PROTOCOL.TCP && (tcpFlags & TCP_FLAG.SYN) !== 0) return (tcpFlags & TCP_FLAG.ACK) !== 0;
  return sourcePort !== 0 && sourcePort < FIRST_EPHEMERAL_PORT && destinationPort >= FIRST_EPHEMERAL_PORT;
}

/** The packet that an answer answers. */
function turn(answer: Packet): Packet {
  const { source, destination, sourcePort, destinationPort, protocol, icmpType } = answer;
  return {
    ...answer,
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
    icmpType: isEcho(protocol, icmpType) ? echoRequestType(protocol) : icmpType,
  };
}

/** The same for both directions of a connection; a ping of the other end is another. */
function keyOf({ source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode }: Packet): string {
  const from = endKey(source, sourcePort);
  const to = endKey(destination, destinationPort);
  const isInOrder = isEcho(protocol, icmpType) || from < to;
  const ends = isInOrder ? `${from} ${to}` : `${to} ${from}`;
  return icmpType + icmpCode === 0 ? `${ends} ${protocol}` : `${ends} ${protocol} ${icmpType} ${icmpCode}`;
}

/** Short, for very many are kept. */
function endKey({ family, words }: IpAddress, port: number): string {
  if (family === 4) return ((words[0] as number) * 65_536 + port).toString(36);
  return `${words.map((word) => word.toString(36)).join('.')}.${port}`;
}

function toFlow({
  source,
  destination,
  protocol,
  sourcePort,
  destinationPort,
  icmpType,
  icmpCode,
}: Packet): RecordedFlow {
  const isPing = isEcho(protocol, icmpType);
  return {
    source: { address: source },
    destination: { address: destination },
    protocol,
    sourcePort: isPing || sourcePort === 0 ? undefined : sourcePort,
    destinationPort: isPing ? 0 : destinationPort,
    icmpType,
    icmpCode,
    reporter: 'both',
    count: 1,
  };
}

/** Folds records that each stand for one packet of a connection, as Hubble's do. */
export class FirstOfConnection {
  readonly #known: RecentSet;

  constructor(limit = DEFAULT_MAX_CONNECTIONS) {
    this.#known = new RecentSet(limit);
  }

  get forgotten(): number {
    return this.#known.forgotten;
  }

  /** Whether it is the first of its connection with that verdict and reporter. Always, when connections cannot be told apart. */
  accepts(flow: RecordedFlow): boolean {
    const { source, destination, protocol, sourcePort, destinationPort, icmpType, verdict, reporter } = flow;
    if (sourcePort === undefined && !isEcho(protocol, icmpType)) return true;
    const ends = [source, destination].map(({ address }) => (address === undefined ? '' : formatAddress(address)));
    const key = [...ends, protocol, sourcePort ?? '', destinationPort, icmpType, verdict, reporter].join(' ');
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }
}
