// Filters of a PacketCapture: which packets it wants, by protocol and port. Pure.
import { protocolName } from '../../model/flow.ts';
import type { FlowRecord } from '../../observe/flow-record.ts';
import { parsePort } from '../../resources/ports.ts';
import { protocolNumber } from '../../resources/protocols.ts';

export interface WrittenFilter {
  readonly protocol?: string | number;
  readonly ports?: readonly (string | number)[];
}

type Test = (record: Pick<FlowRecord, 'protocol' | 'sourcePort' | 'destinationPort'>) => boolean;

/** Any of them, and all packets where there is none. A port may be that of either end. */
export function packetTest(filters: readonly WrittenFilter[]): Test {
  const tests = filters.map(testOf);
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

function testOf({ protocol, ports = [] }: WrittenFilter): Test {
  const number = protocol === undefined ? undefined : protocolNumber(protocol);
  const name = number === undefined ? undefined : protocolName(number);
  const ranges = ports.map(parsePort).filter((port) => port.kind === 'range');
  return ({ protocol: found, sourcePort, destinationPort }) => {
    if (name !== undefined && found !== name) return false;
    const has = (port: number | undefined) =>
      port !== undefined && ranges.some(({ first, last }) => first <= port && port <= last);
    return ports.length === 0 || has(sourcePort) || has(destinationPort);
  };
}
