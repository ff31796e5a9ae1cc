// Ports of the base policy's rule: absent, numbered, named, of each protocol, ranges, several together, and ones that nobody serves.
import { type ConformanceCase, type ConformanceGroup, oneStep, type Protocol } from '../case.ts';
import type { PolicyPort } from '../network-policy.ts';
import {
  BASE_DESTINATIONS,
  BASE_SOURCES,
  baseWith,
  closedRows,
  DIRECTIONS,
  type Direction,
  rowsWith,
} from './base-policy.ts';

interface PortItem {
  readonly ports: readonly PolicyPort[];
  /** As truth rows name them; empty = every port. */
  readonly open: string;
}

const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

/** Without a protocol the API server makes it TCP, with or without a port. */
const DEFAULTED: readonly PortItem[] = [
  { ports: [{}], open: 'TCP' },
  { ports: [{ port: 80 }], open: 'TCP80' },
  { ports: [{ port: 81 }], open: 'TCP81' },
];

const BY_PROTOCOL: readonly PortItem[] = PROTOCOLS.flatMap((protocol) => [
  { ports: [{ protocol }], open: protocol },
  { ports: [{ protocol, port: 80 }], open: `${protocol}80` },
  { ports: [{ protocol, port: 81 }], open: `${protocol}81` },
  { ports: [{ protocol, port: `serve-80-${protocol.toLowerCase()}` }], open: `${protocol}80` },
  { ports: [{ protocol, port: `serve-81-${protocol.toLowerCase()}` }], open: `${protocol}81` },
]);

const PAIRS: readonly PortItem[] = [
  { ports: [{}, { port: 80 }], open: 'TCP' },
  { ports: [{}, { port: 'serve-80-tcp' }], open: 'TCP' },
  { ports: [{}, { protocol: 'UDP' }], open: 'TCP UDP' },
  { ports: [{ port: 80 }, { port: 81 }], open: 'TCP' },
  { ports: [{ port: 80 }, { port: 'serve-81-tcp' }], open: 'TCP' },
  { ports: [{ port: 80 }, { protocol: 'UDP', port: 'serve-81-udp' }], open: 'TCP80 UDP81' },
  {
    ports: [
      { protocol: 'UDP', port: 80 },
      { protocol: 'UDP', port: 'serve-81-udp' },
    ],
    open: 'UDP',
  },
];

const RANGES: readonly PortItem[] = [
  { ports: [{ protocol: 'TCP', port: 80, endPort: 81 }], open: 'TCP' },
  { ports: [{ protocol: 'TCP', port: 80, endPort: 80 }], open: 'TCP80' },
  { ports: [{ protocol: 'TCP', port: 81, endPort: 90 }], open: 'TCP81' },
  { ports: [{ port: 79, endPort: 80 }], open: 'TCP80' },
  { ports: [{ protocol: 'UDP', port: 79, endPort: 81 }], open: 'UDP' },
  { ports: [{ protocol: 'SCTP', port: 1, endPort: 80 }], open: 'SCTP80' },
];

const UNSERVED: readonly { readonly name: string; readonly port: PolicyPort }[] = [
  { name: 'a name that another protocol serves', port: { protocol: 'TCP', port: 'serve-81-udp' } },
  { name: 'a name that nobody serves', port: { protocol: 'TCP', port: 'serve-7981-udp' } },
  { name: 'a number that nobody serves', port: { protocol: 'TCP', port: 7981 } },
];

function describePort({ protocol, port = 'all ports', endPort }: PolicyPort): string {
  return `${protocol ?? 'TCP by default'} ${port}${endPort === undefined ? '' : `-${endPort}`}`;
}

function portCase(direction: Direction, { ports, open }: PortItem): ConformanceCase {
  const pods = direction === 'ingress' ? BASE_SOURCES : BASE_DESTINATIONS;
  const name = ports.length === 0 ? 'an empty list of ports' : ports.map(describePort).join(', ');
  return oneStep(`${direction}: ${name}`, [baseWith(direction, { ports })], rowsWith(direction, pods, open));
}

function inBothDirections(items: readonly PortItem[]): ConformanceCase[] {
  return DIRECTIONS.flatMap((direction) => items.map((item) => portCase(direction, item)));
}

export const anyPort: ConformanceGroup = {
  name: 'rule: any port',
  cases: inBothDirections([{ ports: [], open: '' }]),
};

export const singlePorts: ConformanceGroup = {
  name: 'port, protocol',
  cases: inBothDirections([...DEFAULTED, ...BY_PROTOCOL]),
};

export const multiplePorts: ConformanceGroup = { name: 'rule: two ports', cases: inBothDirections(PAIRS) };

export const portRanges: ConformanceGroup = { name: 'port: ranges', cases: inBothDirections(RANGES) };

export const unservedPorts: ConformanceGroup = {
  name: 'port: pathological',
  cases: DIRECTIONS.flatMap((direction) =>
    UNSERVED.map(({ name, port }) =>
      oneStep(`${direction}: ${name}`, [baseWith(direction, { ports: [port] })], closedRows(direction)),
    ),
  ),
};
