// What a soak looks at: the agent as the kernel sees it, the maps it keeps, and what it says of itself. Only reads.
import { readdirSync, readFileSync } from 'node:fs';
import type { TableReport } from '../../src/agent/table-report.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { type Agent, pinRoot } from '../lab/agent.ts';
import type { FlipArena } from '../lab/flip-arena.ts';

/** Each a number that must not grow, but for those that count what happened. */
export interface Sample {
  readonly hours: number;
  /** All resident memory; that of maps counts once it has been touched. */
  readonly rssMib: number;
  /** Memory that is the process's own: not maps, not files. */
  readonly anonMib: number;
  /** Resident memory of the process that keeps flows; 0 while there is none. */
  readonly storeMib: number;
  readonly descriptors: number;
  /** Rows of the maps that hold endpoints. */
  readonly rows: number;
  /** Regions of the tables, and stories that their words name. */
  readonly regions: number;
  readonly traceIds: number;
  readonly pins: number;
  readonly flows: number;
  /** Since the maps were made. */
  readonly eventsLost: number;
  /** New flows and packets that policy dropped. */
  readonly events: number;
  /** Packets that met an interface or a table which was not ready: there must be none. */
  readonly holes: number;
}

const STORE_PROGRAM = 'store-process-main';
const ROW_MAPS = ['tt_addresses', 'tt_sources'] as const;

/** Throws KERNEL when the agent does not answer. */
export async function takeSample(arena: FlipArena, agent: Agent, hours: number): Promise<Sample> {
  const status = await agent.waitFor(() => true, 10_000);
  const memory = readFileSync(`/proc/${agent.pid}/status`, 'utf8');
  const tables = await agent.get<TableReport>('/v1/tables');
  const packets = (reason: string): number => status.counters[reason]?.packets ?? 0;
  return {
    hours,
    rssMib: mebibytes(memory, 'VmRSS'),
    anonMib: mebibytes(memory, 'RssAnon'),
    storeMib: childMebibytes(agent.pid, STORE_PROGRAM),
    descriptors: readdirSync(`/proc/${agent.pid}/fd`).length,
    rows: ROW_MAPS.map((name) => countRows(arena, name)).reduce((sum, count) => sum + count, 0),
    regions: tables.arrays.reduce((sum, { regions }) => sum + regions, 0),
    traceIds: tables.traceIds,
    pins: readdirSync(pinRoot(arena.lab), { recursive: true }).length,
    flows: status.flows,
    eventsLost: packets('event_lost'),
    events: packets('allowed_new') + packets('drop_ingress_policy') + packets('drop_egress_policy'),
    holes: packets('drop_not_ready') + packets('drop_table_hole') + packets('drop_flow_table'),
  };
}

function countRows(arena: FlipArena, name: string): number {
  const map = loadNative().BpfMap.openPinned(new Pins(pinRoot(arena.lab)).map(name));
  try {
    return map.entries().count;
  } finally {
    map.close();
  }
}

/** Of those that run a program of this name. One that ends meanwhile has none. */
function childMebibytes(pid: number | undefined, program: string): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => {
    try {
      const runs = readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(program);
      return runs ? sum + mebibytes(readFileSync(`/proc/${child}/status`, 'utf8'), 'VmRSS') : sum;
    } catch {
      return sum;
    }
  }, 0);
}

function mebibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
}
