import { describe, expect, it } from 'vitest';
import { AgentNames } from '../../../src/agent/names.ts';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { DEFAULT_TABLE_SIZES, TableCompiler } from '../../../src/tables/compiler.ts';
import { worldFrom } from '../../support/world-from.ts';

const address = (text: string) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>;

function stateOf(pods: Readonly<Record<string, readonly string[]>>): DesiredState {
  const manifests = Object.entries(pods).map(([name, ips]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name },
    spec: { nodeName: 'node', containers: [{ name: 'main' }] },
    status: { phase: 'Running', podIPs: ips.map((ip) => ({ ip })) },
  }));
  return desiredStateOf(worldFrom(manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n')), '*');
}

describe('names of the agent', () => {
  it('find the endpoint of each of its addresses, as policy is now', () => {
    let desired = stateOf({ web: ['10.0.0.1', 'fd00::1'], db: ['10.0.0.2'] });
    const names = new AgentNames(
      () => desired,
      new TableCompiler(DEFAULT_TABLE_SIZES),
      () => undefined,
    );
    const named = (...texts: string[]) => texts.map((text) => names.endpointAt(address(text)));
    expect(named('10.0.0.1', 'fd00::1', '10.0.0.2', '10.0.0.3', '::a00:1')).toEqual([
      'shop/web',
      'shop/web',
      'shop/db',
      undefined,
      undefined,
    ]);
    desired = stateOf({ web: ['10.0.0.3'] });
    expect(named('10.0.0.1', '10.0.0.3')).toEqual([undefined, 'shop/web']);
  });
});
