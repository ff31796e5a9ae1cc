// /proc/net/nf_conntrack: flows that the kernel keeps track of, with who began them. Parsing only; many machines have no such file.

import type { SeenFlow } from '../../analysis/protect/observation.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../model/address.ts';
import { PROTOCOL } from '../../model/flow.ts';

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['tcp', PROTOCOL.TCP],
  ['udp', PROTOCOL.UDP],
]);

/** TCP and UDP between this machine, which has the addresses, and others. What is forwarded is left out. */
export function parseConntrack(text: string, own: ReadonlySet<string>): SeenFlow[] {
  return text.split('\n').flatMap((line) => {
    const protocol = PROTOCOLS.get(line.trim().split(/\s+/)[2] ?? '');
    const tuples = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g)];
    const [original, reply] = tuples.map(tupleOf);
    if (protocol === undefined || original === undefined || reply === undefined) return [];
    return flowOf(protocol, original, reply, own);
  });
}

interface Tuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** The end that answers has the address after translation: what is sent on to another machine is not for this one. */
function flowOf(protocol: number, original: Tuple, reply: Tuple, own: ReadonlySet<string>): SeenFlow[] {
  const isOwn = (address: IpAddress): boolean => own.has(formatAddress(address));
  const { source, sourcePort, destination } = original;
  if (isOwn(source)) {
    const remote = { remote: reply.source, remotePort: reply.sourcePort };
    if (isOwn(reply.source)) return [];
    return [{ direction: 'out', protocol, local: source, localPort: sourcePort, ...remote }];
  }
  if (!isOwn(destination) || !isOwn(reply.source)) return [];
  const local = { local: reply.source, localPort: reply.sourcePort };
  return [{ direction: 'in', protocol, ...local, remote: source, remotePort: sourcePort }];
}

function tupleOf([, source = '', destination = '', sourcePort, destinationPort]: readonly string[]): Tuple | undefined {
  const [from, to] = [parseAddress(source), parseAddress(destination)];
  if (from === undefined || to === undefined) return undefined;
  return { source: from, destination: to, sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) };
}
