import { describe, expect, it } from 'vitest';
import { formatReport } from '../../../../src/cli/commands/tables.ts';

const REPORT = {
  counts: {
    endpoints: 2,
    policyLists: 3,
    rules: 40,
    prefixes: 12,
    addressClasses: 10,
    l4Classes: 5,
    sourcePortClasses: 1,
  },
  arrays: [{ name: 'tt_heap', usedBytes: 2 ** 20, capacityBytes: 2 ** 22, regions: 100 }],
  bytesPer: { rule: 26_214.4, endpoint: 524_288, addressClass: 700.5 },
  traceIds: 41,
  lastChange: { regions: 4, bytes: 1024 },
};
const KERNEL = {
  maps: [
    { name: 'tt_heap', entries: 1024, bytes: 2 ** 22 },
    { name: 'tt_flows', entries: 1, bytes: 139_264 },
  ],
  totalBytes: 2 ** 22 + 139_264,
  flows: 1024,
  bytesPerFlow: 136,
};

describe('tortie tables stats', () => {
  it('says what there is and what it costs', () => {
    const lines = formatReport(REPORT)
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines).toEqual(
      expect.arrayContaining([
        'rules | 40',
        'trace ids | 41',
        'tt_heap | 1.0 MiB | 4.0 MiB | 25.0 % | 100',
        'rule | 25.6 KiB',
        'endpoint | 512.0 KiB',
        'address class | 701 B',
        'last change wrote 4 regions, 1.0 KiB',
      ]),
    );
    expect(lines.some((line) => line.startsWith('MAP'))).toBe(false);
  });

  it('says what the maps of a running agent cost, one by one and together', () => {
    const lines = formatReport({ ...REPORT, kernel: KERNEL })
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines.slice(-5)).toEqual([
      'tt_heap | 1024 | 4.0 MiB',
      'tt_flows | 1 | 136.0 KiB',
      'total | 4.1 MiB',
      '',
      'room for 1024 flows, 136 B each',
    ]);
  });
});
