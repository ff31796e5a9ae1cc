import { describe, expect, it } from 'vitest';
import { memoryById } from '../../../src/agent/map-memory.ts';
import { kernelMemory } from '../../../src/agent/table-report.ts';

const HEAP =
  'pos:\t0\nflags:\t02000002\nmap_type:\t2\nmax_entries:\t16384\nmemlock:\t67108864\nmap_id:\t71\nfrozen:\t0\n';
const FLOWS = 'pos:\t0\nmap_type:\t2\nmemlock:\t35653632\nmap_id:\t72\n';
const SOCKET = 'pos:\t0\nflags:\t02\nino:\t17\n';
const PROGRAM = 'pos:\t0\nprog_type:\t3\nmemlock:\t8192\nprog_id:\t5\n';

describe('kernel memory of maps', () => {
  it('is found by map id among all open files', () => {
    expect([...memoryById([SOCKET, HEAP, PROGRAM, '', FLOWS])]).toEqual([
      [71, 67_108_864],
      [72, 35_653_632],
    ]);
  });

  it('is added up, and shared by the flows there is room for', () => {
    const maps = [
      { name: 'tt_heap', entries: 16384, bytes: 67_108_864 },
      { name: 'tt_flows', entries: 32, bytes: 35_651_584 },
    ];
    expect(kernelMemory(maps, 200_000)).toEqual({ maps, totalBytes: 102_760_448, flows: 262_144, bytesPerFlow: 136 });
  });
});
