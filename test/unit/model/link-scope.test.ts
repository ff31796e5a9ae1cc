import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { type IpAddress, parseAddress } from '../../../src/model/address.ts';
import type { HostInterface } from '../../../src/model/host-interfaces.ts';
import type { Path, PathFlow, PathVerdict } from '../../../src/model/path.ts';
import { ReferencePathEvaluator } from '../../../src/model/reference/path-evaluator.ts';
import type { World } from '../../../src/model/world.ts';
import { TableCompiler } from '../../../src/tables/compiler.ts';
import { TablePathEvaluator } from '../../../src/tables/path-evaluator.ts';
import { HOST_PACKETS, type HostPacket } from '../../support/host-protocols.ts';
import { worldFrom } from '../../support/world-from.ts';

const POD = 'fd00:65::2';
const HOST = '2001:db8::1';
const ICMPV6 = 58;
const INTERFACES: readonly HostInterface[] = [
  { name: 'eth0', kind: 'host', addresses: [] },
  { name: 'eth1', kind: 'host', addresses: [] },
  { name: 'cali1', kind: 'workload', addresses: [] },
];

const HEP = `
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: a}
spec: {node: n1, interfaceName: "*"}`;
const pod = (profiles: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: default, name: n1-k8s-w-eth0}
spec: {node: n1, orchestrator: k8s, pod: w, endpoint: eth0, interfaceName: cali1, ipNetworks: ["${POD}"], profiles: [${profiles}]}`;
const OPEN_POD = pod('projectcalico-default-allow');

const ENGINES: Readonly<Record<string, (world: World, packet: PathFlow) => PathVerdict>> = {
  model: (world, packet) => new ReferencePathEvaluator(world, INTERFACES).evaluatePath(packet),
  tables: (world, packet) => {
    const compiler = new TableCompiler();
    const desired = desiredStateOf(world, 'n1');
    return new TablePathEvaluator(desired, INTERFACES, compiler, compiler.compile(desired)).evaluatePath(packet);
  },
};

function addressOf(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`no address: ${text}`);
  return address;
}

function asked({ hook, source, destination, protocol, ports = [0, 0], icmp = [0, 0] }: HostPacket): PathFlow {
  const flow = {
    source: addressOf(source),
    destination: addressOf(destination),
    protocol,
    sourcePort: ports[0],
    destinationPort: ports[1],
    icmpType: icmp[0],
    icmpCode: icmp[1],
  };
  return { flow, path: hook === 'to-host' ? { kind: hook, in: 'eth0' } : { kind: hook, out: 'eth0' } };
}

function discovery(path: Path, source: string, destination: string, icmpType = 135): PathFlow {
  const ends = { source: addressOf(source), destination: addressOf(destination) };
  const flow = { ...ends, protocol: ICMPV6, sourcePort: 0, destinationPort: 0, icmpType, icmpCode: 0 };
  return { flow, path };
}

const inShort = ({ verdict, stages }: PathVerdict): string =>
  [verdict, ...stages.map(({ stage, verdict: said }) => `${stage} ${said}`)].join(', ');

describe.each(Object.keys(ENGINES))('a host without policy, by the engine %s', (name) => {
  const judge = ENGINES[name] as (typeof ENGINES)[string];
  const world = worldFrom([HEP, OPEN_POD].join('\n---'));

  it.each(HOST_PACKETS)('takes part in, or refuses, as documented: $what', (packet) => {
    const short = inShort(judge(world, asked(packet)));
    expect(short).toBe(
      { always: 'allow', failsafe: 'allow, normal allow', policy: 'deny, normal deny' }[packet.admission],
    );
  });

  it.each(['router advertisement of the link', 'DHCPv6 reply'])('takes none from a workload: %s', (what) => {
    const packet = asked(HOST_PACKETS.find((each) => each.what === what) as HostPacket);
    const from: PathFlow = { ...packet, path: { kind: 'to-host', in: 'cali1' } };
    expect(inShort(judge(world, from))).toBe('allow, endpointToHost next');
  });

  it.each([
    { what: 'to its host', path: { kind: 'to-host', in: 'cali1' }, ends: [POD, HOST], open: 'egress allow' },
    { what: 'of the link', path: { kind: 'to-host', in: 'cali1' }, ends: [POD, 'ff02::1:ff00:1'], open: undefined },
    { what: 'of its host', path: { kind: 'from-host', out: 'cali1' }, ends: [HOST, POD], open: undefined },
  ] as const)('judges neighbour discovery of a workload by the policy of the workload alone: $what', (each) => {
    const packet = discovery(each.path, each.ends[0], each.ends[1]);
    expect(inShort(judge(world, packet))).toBe(['allow', ...(each.open === undefined ? [] : [each.open])].join(', '));
    const closed = worldFrom([HEP, pod('')].join('\n---'));
    expect(inShort(judge(closed, packet))).toBe(each.open === undefined ? 'allow' : 'deny, egress deny');
  });

  it('judges what has crossed a router, and looks like discovery, as it judges anything', () => {
    const packet = discovery({ kind: 'forward', in: 'cali1', out: 'eth0' }, POD, '2001:db8::9');
    expect(inShort(judge(worldFrom([HEP, pod('')].join('\n---')), packet))).toBe('deny, egress deny');
  });
});
