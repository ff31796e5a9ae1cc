import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reason } from '../../src/abi/event.gen.ts';
import { desiredStateOf } from '../../src/agent/offline.ts';
import { DetachedDataplane } from '../../src/kernel/detached-dataplane.ts';
import { probePacket } from '../../src/kernel/probe-packet.ts';
import { parseFlowQuestion } from '../../src/model/flow-question.ts';
import { worldFrom } from '../support/world-from.ts';

const OPTIONS = { object: 'workload', flows: 1024, flowCache: 16, eventBytes: 65536 };
const FOREIGN_V4 = '203.0.113.9';
const FOREIGN_V6 = '2001:db8:99::9';

function pod(prefixes: readonly string[]): string {
  const annotation =
    prefixes.length === 0 ? '{}' : `{ cni.projectcalico.org/allowedSourcePrefixes: '${JSON.stringify(prefixes)}' }`;
  return `
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web, annotations: ${annotation} }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.1 }, { ip: '2001:db8::1' }] }
`;
}

const stateOf = (prefixes: readonly string[]) => desiredStateOf(worldFrom(pod(prefixes)), '*');

let dataplane: DetachedDataplane;
beforeAll(() => {
  dataplane = new DetachedDataplane(stateOf([]), OPTIONS);
});
afterAll(() => dataplane.close());

/** Whether the pod's interface drops a datagram for its source. */
function isHeld(prefixes: readonly string[], src: string, dst: string): boolean {
  const desired = stateOf(prefixes);
  dataplane.load(desired);
  const { flow } = parseFlowQuestion({ src, dst, protocol: 'UDP', dstPort: 53 });
  dataplane.run('tt_from_work', [...desired.endpoints.keys()][0] as string, probePacket(flow));
  return dataplane.drainEvents().some((event) => event.reason === Reason.DROP_SPOOFED_ADDRESS);
}

describe('allowed source prefixes', () => {
  it.each([
    { prefixes: [], v4: true, v6: true },
    { prefixes: ['::/0'], v4: true, v6: false },
    { prefixes: ['::/80'], v4: true, v6: true },
    { prefixes: ['2001:db8::/32'], v4: true, v6: false },
    { prefixes: ['203.0.113.0/24'], v4: false, v6: true },
    { prefixes: ['0.0.0.0/0'], v4: false, v6: true },
    { prefixes: ['::/0', '203.0.113.0/24'], v4: false, v6: false },
    { prefixes: ['::/0', '0.0.0.0/0'], v4: false, v6: false },
    { prefixes: ['::/0', '198.51.100.0/24'], v4: true, v6: false },
  ])('$prefixes: each family has its own', ({ prefixes, v4, v6 }) => {
    expect(isHeld(prefixes, FOREIGN_V4, '192.0.2.1')).toBe(v4);
    expect(isHeld(prefixes, FOREIGN_V6, '2001:db8:77::1')).toBe(v6);
    expect(isHeld(prefixes, '10.0.0.1', '192.0.2.1')).toBe(false);
  });
});
