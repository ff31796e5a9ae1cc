import { describe, expect, it } from 'vitest';
import { machineInterfaces } from '../../../src/agent/machine-interfaces.ts';

describe('machineInterfaces', () => {
  it('finds the loopback interface with its address, and tells workloads apart', () => {
    const loopback = machineInterfaces(() => true).find(({ kind }) => kind === 'loopback');
    expect(loopback?.name).toBe('lo');
    expect(machineInterfaces(() => true).filter(({ kind }) => kind === 'host')).toEqual([]);
    expect(machineInterfaces(() => false).filter(({ kind }) => kind === 'workload')).toEqual([]);
  });
});
