// Reads an example folder into a lab and the cases it promises: workloads from its manifests, outsiders and truth table from its
// README, so that what a reader sees is what is tested. Builds nothing and probes nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { DataplaneError } from '../../src/base/errors.ts';
import { HOST } from './namespaces.ts';
import type { ProbeResult, Transport } from './peer.ts';
import type { Listener } from './peers.ts';
import type { LabSpec, OutsiderSpec, WorkloadSpec } from './topology.ts';
import type { TruthCase } from './truth-table.ts';

export interface Example {
  /** Directory of manifests to hand to the agent. */
  readonly manifests: string;
  readonly lab: LabSpec;
  /** Each row of the truth table once for every family. */
  readonly cases: readonly TruthCase[];
  /** What every destination of the table must listen on, so that a missing answer is the policy's doing. */
  readonly listeners: ReadonlyMap<string, readonly Listener[]>;
}

/** A closed row is certain only after this long; an open one answers at once. */
const DROP_TIMEOUT_MS = 600;
const OPEN_TIMEOUT_MS = 3000;

interface WorkloadManifest {
  readonly kind?: string;
  readonly spec?: {
    readonly pod?: string;
    readonly interfaceName?: string;
    readonly ipNetworks?: readonly string[];
    readonly mac?: string;
  };
}

interface Row {
  readonly from: string;
  readonly to: string;
  readonly transport: Transport;
  readonly port?: number;
  readonly isOpen: boolean;
}

interface Participant {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly hostInterface: string;
}

/** Throws FILE_UNREADABLE, or INVALID_FIELD for a README whose tables do not fit its manifests. */
export function loadExample(folder: string): Example {
  const manifests = join(folder, 'manifests');
  const readme = join(folder, 'README.md');
  const text = readText(readme);
  const participants = parseParticipants(text);
  const workloads = readWorkloads(manifests, participants, readme);
  const inside = new Set([HOST, ...workloads.map((workload) => workload.name)]);
  const rows = parseRows(text);
  if (rows.length === 0) throw invalid(readme, 'no truth table');
  return {
    manifests,
    lab: {
      workloads,
      outsiders: participants.filter((one) => !inside.has(one.name)).map(toOutsider),
      hostAddresses: participants.find((one) => one.name === HOST)?.addresses,
    },
    cases: rows.flatMap((row) => toCases(row, participants, readme)),
    listeners: collectListeners(rows),
  };
}

function invalid(readme: string, what: string, found?: string): DataplaneError {
  return new DataplaneError('INVALID_FIELD', what, { operation: 'read', target: readme, found });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'read', target: path, cause });
  }
}

function bare(prefix: string): string {
  return prefix.replace(/\/.*/, '');
}

// The README says how a person calls a workload; the interface, which both have, ties the two together.
function readWorkloads(manifests: string, participants: readonly Participant[], readme: string): WorkloadSpec[] {
  return readdirSync(manifests)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) =>
      parseAllDocuments(readText(join(manifests, name))).map((one) => one.toJS() as WorkloadManifest | null),
    )
    .filter((manifest) => manifest?.kind === 'WorkloadEndpoint')
    .map((manifest) => {
      const { interfaceName = '', ipNetworks = [], mac } = manifest?.spec ?? {};
      const known = participants.find((one) => one.hostInterface === interfaceName);
      const addresses = ipNetworks.map(bare);
      if (known === undefined || known.addresses.join() !== addresses.join()) {
        throw invalid(
          readme,
          'no participant with this interface and these addresses',
          `${interfaceName} ${addresses.join(', ')}`,
        );
      }
      return { name: known.name, hostInterface: interfaceName, addresses, mac };
    });
}

function parseParticipants(text: string): Participant[] {
  const row = /^\| `([\w-]+)` \| ([0-9a-f:./, ]+) \| [^|]+ \| (\S+) \|$/gm;
  return [...text.matchAll(row)].map(([, name = '', addresses = '', hostInterface = '']) => ({
    name,
    addresses: addresses.split(',').map((address) => address.trim()),
    hostInterface,
  }));
}

// The host is the first address of the subnet.
function toOutsider(participant: Participant): OutsiderSpec {
  const { name, hostInterface, addresses } = participant;
  const subnets = addresses.map((outsider) => ({ host: outsider.replace(/(\.|::)[0-9a-f]+\//, '$11/'), outsider }));
  return { name, hostInterface, subnets };
}

function parseRows(text: string): Row[] {
  const row = /^\| `([\w-]+)` \| `([\w-]+)` \| (tcp|udp|sctp|icmp)(?: (\d+))? \| (open|drop) \|/gm;
  return [...text.matchAll(row)].map(([, from = '', to = '', transport, port, expected]) => ({
    from,
    to,
    transport: transport as Transport,
    port: port === undefined ? undefined : Number(port),
    isOpen: expected === 'open',
  }));
}

function toCases(row: Row, participants: readonly Participant[], readme: string): TruthCase[] {
  const { from, to, transport, port, isOpen } = row;
  const target = participants.find((one) => one.name === to);
  if (target === undefined) throw invalid(readme, 'a destination that is not among the participants', to);
  const expected: ProbeResult[] = [isOpen ? 'open' : 'timeout'];
  const timeoutMs = isOpen ? OPEN_TIMEOUT_MS : DROP_TIMEOUT_MS;
  return target.addresses.map((address) => ({
    from,
    to,
    request: { transport, address: bare(address), port, timeoutMs },
    expected,
  }));
}

function collectListeners(rows: readonly Row[]): Example['listeners'] {
  const listeners = new Map<string, Listener[]>();
  for (const { to, transport, port } of rows) {
    if (transport === 'icmp' || port === undefined) continue;
    const list = listeners.get(to) ?? [];
    listeners.set(to, list);
    if (!list.some((one) => one.transport === transport && one.port === port)) list.push({ transport, port });
  }
  return listeners;
}
