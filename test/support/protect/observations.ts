// Machines as tortie protect sees them, written by hand.
import type { HostObservation, Listener, SeenFlow } from '../../../src/analysis/protect/observation.ts';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import { protocolNumber } from '../../../src/model/flow-question.ts';

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** `tcp 0.0.0.0 80 nginx` */
export function listener(text: string): Listener {
  const [protocol, at = '', port, process] = text.split(' ');
  return { protocol: protocolNumber(protocol) ?? 0, address: address(at), port: Number(port), process };
}

/** `in tcp 192.0.2.1 80 198.51.100.7 40000 nginx`, this machine's end first. */
export function seenFlow(text: string): SeenFlow {
  const [direction, protocol, local = '', localPort, remote = '', remotePort, process] = text.split(' ');
  return {
    direction: direction === 'in' ? 'in' : 'out',
    protocol: protocolNumber(protocol) ?? 0,
    local: address(local),
    localPort: Number(localPort),
    remote: address(remote),
    remotePort: Number(remotePort),
    process,
  };
}

export interface MachineText {
  readonly listeners?: readonly string[];
  readonly flows?: readonly string[];
}

/** A machine with one interface of both families, whose operator comes from 198.51.100.7. */
export function machine(
  { listeners = [], flows = [] }: MachineText = {},
  more: Partial<HostObservation> = {},
): HostObservation {
  const own = ['192.0.2.1', '2001:db8::1', 'fe80::1'].map(address);
  return {
    node: 'web-1',
    interfaces: [
      { name: 'lo', kind: 'loopback', addresses: [address('127.0.0.1')] },
      { name: 'eth0', kind: 'host', addresses: own },
    ],
    listeners: listeners.map(listener),
    flows: flows.map(seenFlow),
    sessions: [{ client: address('198.51.100.7'), clientPort: 50_000, server: address('192.0.2.1'), serverPort: 22 }],
    nameServers: [address('192.0.2.53')],
    ephemeralPorts: [32_768, 60_999],
    isForwarding: false,
    ...more,
  };
}
