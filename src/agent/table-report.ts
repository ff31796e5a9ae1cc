// The answer to `tortie tables stats --live`: the compiled tables, and what they and all other maps cost in kernel
// memory. Puts figures together; knows neither tables nor maps.
import { flowTableShape } from '../kernel/flow-table.ts';
import type { TableStats } from '../tables/stats.ts';
import type { MapMemory } from './map-memory.ts';

export interface TableReport extends TableStats {
  /** undefined = not of a running agent. */
  readonly kernel?: KernelMemory;
}

export interface KernelMemory {
  readonly maps: readonly MapMemory[];
  readonly totalBytes: number;
  /** Room of the flow table. */
  readonly flows: number;
  readonly bytesPerFlow: number;
}

const FLOW_MAP = 'tt_flows';

/** `flows` as asked for; the table has room for at least so many. */
export function kernelMemory(maps: readonly MapMemory[], flows: number): KernelMemory {
  const { regions, room } = flowTableShape(flows);
  const flowBytes = maps.find(({ name }) => name === FLOW_MAP)?.bytes ?? 0;
  return {
    maps,
    totalBytes: maps.reduce((sum, { bytes }) => sum + bytes, 0),
    flows: regions * room,
    bytesPerFlow: flowBytes / (regions * room),
  };
}
