// A flow as options of the command line name it: ends by endpoint or address, in a family that both have.
import { type Command, Option } from 'commander';
import { DataplaneError } from '../base/errors.ts';
import { type Family, formatAddress, type IpAddress, parseAddress } from '../model/address.ts';
import { type Flow, hasPorts, isIcmp, protocolName } from '../model/flow.ts';
import { parseFlowQuestion } from '../model/flow-question.ts';
import type { World } from '../model/world.ts';
import { wholeNumber } from './options.ts';

export interface FlowEndFlags {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly family?: '4' | '6';
}

const SHOWN = 8;

export function addFlowDetailOptions(command: Command): Command {
  return command
    .option('--protocol <name>', 'TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or 0-255', 'TCP')
    .option('--port <n>', 'destination port', wholeNumber(0, 65535))
    .option('--source-port <n>', 'source port (default: 32768)', wholeNumber(0, 65535))
    .option('--icmp-type <n>', 'ICMP type (default: echo request)', wholeNumber(0, 255))
    .option('--icmp-code <n>', 'ICMP code (default: 0)', wholeNumber(0, 255))
    .addOption(new Option('--family <4|6>', 'address family, when both ends have both').choices(['4', '6']));
}

/** Names become addresses of a family that both ends have, IPv4 first. Throws NOT_FOUND and INVALID_FLOW. */
export function resolveFlow(world: World, flags: FlowEndFlags, operation: string): Flow {
  const from = addressesOf(world, flags.from, operation);
  const to = addressesOf(world, flags.to, operation);
  const families: readonly Family[] = flags.family === undefined ? [4, 6] : [flags.family === '4' ? 4 : 6];
  for (const family of families) {
    const source = from.find((address) => address.family === family);
    const destination = to.find((address) => address.family === family);
    if (source === undefined || destination === undefined) continue;
    return parseFlowQuestion({
      src: formatAddress(source),
      dst: formatAddress(destination),
      protocol: flags.protocol,
      srcPort: flags.sourcePort,
      dstPort: flags.port,
      icmpType: flags.icmpType,
      icmpCode: flags.icmpCode,
    }).flow;
  }
  throw new DataplaneError('NOT_FOUND', 'the two ends have no address family in common', {
    operation,
    target: `${flags.from} to ${flags.to}`,
    found: `${from.map(formatAddress).join(' ')} and ${to.map(formatAddress).join(' ')}`,
  });
}

/** `TCP 10.0.0.1:32768 -> 10.0.0.2:80`. */
export function describeFlow({
  source,
  destination,
  protocol,
  sourcePort,
  destinationPort,
  icmpType,
  icmpCode,
}: Flow): string {
  const place = (address: IpAddress, port: number): string => {
    const text = formatAddress(address);
    if (!hasPorts(protocol)) return text;
    return address.family === 6 ? `[${text}]:${port}` : `${text}:${port}`;
  };
  const icmp = isIcmp(protocol) ? ` type ${icmpType} code ${icmpCode}` : '';
  return `${protocolName(protocol)}${icmp} ${place(source, sourcePort)} -> ${place(destination, destinationPort)}`;
}

function addressesOf(world: World, name: string, operation: string): readonly IpAddress[] {
  const address = parseAddress(name);
  if (address !== undefined) return [address];
  for (const endpoint of world.workloadEndpoints.values()) {
    if (endpoint.displayName === name || endpoint.key === name) return endpoint.addresses;
  }
  const known = [...world.workloadEndpoints.values()].map(({ displayName }) => displayName).sort();
  throw new DataplaneError('NOT_FOUND', 'no such workload endpoint', {
    operation,
    target: name,
    expected: `an address or one of: ${known.slice(0, SHOWN).join(', ')}${known.length > SHOWN ? ', ...' : ''}`,
  });
}
