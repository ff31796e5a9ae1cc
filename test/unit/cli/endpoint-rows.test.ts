import { describe, expect, it } from 'vitest';
import { endpointRows, listedEndpoints } from '../../../src/cli/endpoint-rows.ts';

const pod = { endpoint: 'default/web', interface: 'cali1', state: 'ready', reason: '' } as const;
const all = {
  hostEndpoint: 'all',
  interfaces: ['a', 'b', 'c', 'd', 'e', 'f'],
  addresses: [],
  state: 'ready',
  reason: '',
} as const;
const lost = {
  hostEndpoint: 'lost',
  interfaces: [],
  addresses: [],
  state: 'waiting',
  reason: 'interface eth9 does not exist yet',
} as const;

describe('rows of endpoints', () => {
  it('are those of workloads and of the host, which tell by their names', () => {
    const [, rows] = endpointRows(listedEndpoints({ endpoints: [pod], hostEndpoints: [lost] }));
    expect(rows).toEqual([
      ['default/web', 'cali1', 'ready', ''],
      ['hostendpoint/lost', '', 'waiting', 'interface eth9 does not exist yet'],
    ]);
  });

  it('name some of many interfaces', () => {
    expect(endpointRows([all])[1][0]?.[1]).toBe('a b c d and 2 more');
  });

  it('are those of workloads where the agent knows no others', () => {
    expect(listedEndpoints({ endpoints: [pod] })).toEqual([pod]);
  });
});
