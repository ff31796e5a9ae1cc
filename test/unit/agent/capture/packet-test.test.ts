import { describe, expect, it } from 'vitest';
import { packetTest } from '../../../../src/agent/capture/packet-test.ts';

const tcp = (sourcePort: number, destinationPort: number) => ({ protocol: 'TCP', sourcePort, destinationPort });

describe('filters of a packet capture', () => {
  it('let everything through where there is none', () => {
    expect(packetTest([])(tcp(1, 2))).toBe(true);
  });

  it('hold for the port of either end, of the protocol that is named by text or number', () => {
    const test = packetTest([{ protocol: 6, ports: [80, '8000:8010'] }, { protocol: 'UDP' }]);
    expect([tcp(80, 1), tcp(1, 80), tcp(1, 8005), tcp(1, 8011), tcp(1, 2)].map(test)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(test({ protocol: 'UDP', sourcePort: 1, destinationPort: 2 })).toBe(true);
    expect(test({ protocol: 'ICMP' })).toBe(false);
    expect(packetTest([{ ports: ['53'] }])({ protocol: 'UDP', sourcePort: 53, destinationPort: 9 })).toBe(true);
  });
});
