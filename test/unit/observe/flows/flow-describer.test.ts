import { describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../../../src/events/event.ts';
import type { FlowReport } from '../../../../src/events/flow-report.ts';
import { type IpAddress, parseAddress } from '../../../../src/model/address.ts';
import type { FlowNames, NamedEnd } from '../../../../src/model/name-lookup.ts';
import type { TraceEntry } from '../../../../src/model/trace.ts';
import { DeniedFlows } from '../../../../src/observe/flows/denied-flows.ts';
import { FlowDescriber } from '../../../../src/observe/flows/flow-describer.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';

const ALLOW = 1;
const DENY = 2;
const EGRESS = (1 << 8) | ALLOW;
const INGRESS = (2 << 8) | ALLOW;
const AT = { jiffies: 1000, hz: 100, time: 500_000 };

function address(text: string): IpAddress {
  return parseAddress(text) as IpAddress;
}

const WEB: NamedEnd = {
  type: 'wep',
  namespace: 'shop',
  name: 'web-1',
  aggregatedName: 'web-*',
  labels: { app: 'web' },
  isLocal: true,
};
const DB: NamedEnd = { ...WEB, name: 'db', aggregatedName: 'db', labels: { app: 'db' } };
const HOST: NamedEnd = { ...WEB, type: 'hep', namespace: '', name: 'gate', aggregatedName: 'node1', labels: {} };
const ENDS = new Map([
  [address('192.0.2.1').words.join(), HOST],
  [address('10.0.0.1').words.join(), WEB],
  [address('10.0.0.2').words.join(), DB],
]);

class Names implements FlowNames {
  known = true;
  isRenamed = false;

  endAt({ words }: IpAddress): NamedEnd | undefined {
    const end = ENDS.get(words.join());
    return end && { ...end, name: this.#called(end.name) };
  }

  #called(name: string): string {
    return this.isRenamed ? `new-${name}` : name;
  }

  serviceAt(_: IpAddress, protocol: number, port: number): ReturnType<FlowNames['serviceAt']> {
    return protocol === 6 && port === 5432 ? { namespace: 'shop', name: 'db', portName: 'sql', port } : undefined;
  }

  verdict(word: number): ReturnType<FlowNames['verdict']> {
    const entry: TraceEntry = {
      tier: 'default',
      kind: 'np',
      namespace: 'shop',
      name: this.#called(`p${word >>> 8}`),
      action: word & ALLOW ? 'allow' : 'deny',
      ruleIndex: 0,
    };
    const trace = this.known ? [entry] : [];
    return { verdict: word & ALLOW ? 'allow' : 'deny', trace };
  }
}

const REPORT: FlowReport = {
  source: address('10.0.0.1'),
  destination: address('10.0.0.2'),
  sourcePort: 40_000,
  destinationPort: 5432,
  protocol: 6,
  egressWord: EGRESS,
  ingressWord: INGRESS,
  hostWord: 0,
  isUnmet: false,
  isStart: true,
  isEnd: false,
  isLate: false,
  state: 2,
  tcpFlags: 0x12,
  since: 800,
  until: 1000,
  packets: [3, 2],
  bytes: [300, 200],
};

function tell(more: Partial<FlowReport> = {}, names = new Names()): FlowLog[] {
  return new FlowDescriber(names, 'node1').describeReport({ ...REPORT, ...more }, AT);
}

const EVENT: FlowEvent = {
  kind: 'denied',
  reason: 'drop_ingress_policy',
  hook: 'to_workload',
  ifindex: 3,
  outIfindex: 0,
  source: address('10.0.0.1'),
  destination: address('10.0.0.2'),
  protocol: 6,
  sourcePort: 40_000,
  destinationPort: 22,
  icmpType: 0,
  icmpCode: 0,
  tcpFlags: 2,
  egressWord: EGRESS,
  ingressWord: (3 << 8) | DENY,
  isReply: false,
  generation: 1,
  length: 60,
};

function tellDenied(...events: readonly Partial<FlowEvent>[]): FlowLog[] {
  const denied = new DeniedFlows();
  for (const [index, event] of events.entries()) denied.add({ ...EVENT, ...event }, 1000 + index);
  const describer = new FlowDescriber(new Names(), 'node1');
  return [...denied.take()].flatMap((flow) => describer.describeDenied(flow));
}

describe('FlowDescriber', () => {
  it('gives each flow of an end the port that it has, one after the other', () => {
    const describer = new FlowDescriber(new Names(), 'node1');
    const ports = [5432, 5433, 5432, 0].map((destinationPort) =>
      describer.describeReport({ ...REPORT, destinationPort }, AT),
    );
    expect(ports.map(([log]) => log?.destination.port)).toEqual([5432, 5433, 5432, 0]);
    expect(ports.map(([log]) => log?.source.port)).toEqual([40_000, 40_000, 40_000, 40_000]);
  });

  it('has a record for each end whose policy spoke, in and out as that end sees it', () => {
    const [source, destination] = tell();
    expect(source).toMatchObject({
      startTime: 498_000,
      endTime: 500_000,
      phase: 'start',
      reporter: 'src',
      action: 'allow',
      source: {
        type: 'wep',
        namespace: 'shop',
        name: 'web-1',
        aggregatedName: 'web-*',
        address: '10.0.0.1',
        port: 40_000,
      },
      destination: { name: 'db', port: 5432 },
      service: { name: 'db', portName: 'sql' },
      enforced: ['0|default|np:shop/p1|allow|0'],
      state: 'established',
      tcpFlags: 0x12,
      packetsIn: 2,
      packetsOut: 3,
      bytesIn: 200,
      bytesOut: 300,
      flowsStarted: 1,
      flowsLive: 1,
    });
    expect(destination).toMatchObject({
      reporter: 'dst',
      enforced: ['0|default|np:shop/p2|allow|0'],
      packetsIn: 3,
      packetsOut: 2,
    });
  });

  it('has one record where one end was judged, and where nobody was, because the host opened it', () => {
    expect(tell({ ingressWord: 0 }).map(({ reporter }) => reporter)).toEqual(['src']);
    const [opened, ...others] = tell({ egressWord: 0, ingressWord: 0, source: address('192.168.0.1') });
    expect(others).toEqual([]);
    expect(opened).toMatchObject({
      reporter: 'dst',
      action: 'allow',
      enforced: [],
      source: { type: 'net', name: 'pvt' },
    });
  });

  it('says of two records that they are of the same packets, and of one that it is the only one', () => {
    const paired = (logs: readonly FlowLog[]) => logs.map(({ isPaired }) => isPaired);
    expect(paired(tell())).toEqual([true, true]);
    expect(paired([...tell({ ingressWord: 0 }), ...tell({ egressWord: 0 })])).toEqual([undefined, undefined]);
    expect(paired(tell({ egressWord: 0, ingressWord: 0 }))).toEqual([undefined]);
    expect(paired(tellDenied({ hook: 'from_workload' }))).toEqual([true, true]);
    expect(paired(tellDenied({}))).toEqual([undefined]);
  });

  it('leaves to a workload what its own hook counts too', () => {
    const host = { egressWord: 0, ingressWord: 0, hostWord: INGRESS, isUnmet: true };
    expect(tell(host)).toEqual([]);
    const strangers = { source: address('8.8.8.8'), destination: address('fd00::1') };
    expect(tell({ ...host, ...strangers })).toMatchObject([{ source: { name: 'pub' }, destination: { name: 'pvt' } }]);
  });

  it("has a host endpoint tell of its own flows, of those it opens as the source, but not of a workload's", () => {
    const host = { egressWord: 0, ingressWord: 0, hostWord: INGRESS, isUnmet: true };
    const [gate, stranger] = [address('192.0.2.1'), address('8.8.8.8')];
    expect(tell({ ...host, source: stranger, destination: gate })).toMatchObject([
      { reporter: 'dst', source: { name: 'pub' }, destination: { type: 'hep', name: 'gate' } },
    ]);
    expect(tell({ ...host, source: gate, destination: stranger })).toMatchObject([
      { reporter: 'src', source: { type: 'hep', name: 'gate' }, destination: { name: 'pub' } },
    ]);
    expect(tell({ ...host, destination: gate })).toEqual([]);
    expect(tell({ ...host, isUnmet: false, hostWord: 0, destination: gate })).toMatchObject([{ reporter: 'src' }]);
  });

  it('says when a flow has ended, and keeps late counts out of the flows that live', () => {
    expect(tell({ isStart: false, isEnd: true })[0]).toMatchObject({ phase: 'end', flowsCompleted: 1, flowsLive: 0 });
    expect(tell({ isStart: false, isLate: true })[0]).toMatchObject({ phase: 'update', flowsStarted: 0, flowsLive: 0 });
  });

  it('remembers what a word said that nobody knows any more', () => {
    const names = new Names();
    const describer = new FlowDescriber(names, 'node1');
    const before = describer.describeReport(REPORT, AT)[0]?.enforced;
    names.known = false;
    describer.renew();
    expect(describer.describeReport(REPORT, AT)[0]?.enforced).toEqual(before);
  });

  it('goes on saying of words and ends what it did when it was set aside, whatever comes in force', () => {
    const names = new Names();
    const describer = new FlowDescriber(names, 'node1');
    const before = describer.describeReport(REPORT, AT);
    const aside = describer.asNow([EGRESS, INGRESS]);
    names.isRenamed = true;
    describer.renew();
    expect(aside.describeReport(REPORT, AT)).toEqual(before);
    const [now] = describer.describeReport(REPORT, AT);
    expect(now).toMatchObject({ source: { name: 'new-web-1' }, enforced: ['0|default|np:shop/new-p1|allow|0'] });
  });

  it('puts denied packets of one flow together', () => {
    const [denied, ...others] = tellDenied({}, { tcpFlags: 16, length: 40 });
    expect(others).toEqual([]);
    expect(denied).toMatchObject({
      startTime: 1000,
      endTime: 1001,
      reporter: 'dst',
      action: 'deny',
      reason: 'drop_ingress_policy',
      enforced: ['0|default|np:shop/p3|deny|0'],
      packetsIn: 2,
      packetsOut: 0,
      bytesIn: 100,
      tcpFlags: 18,
      flowsLive: 0,
    });
  });

  it('tells of the sender that let a packet pass, where its hook judged the receiver too', () => {
    expect(tellDenied({ hook: 'from_workload' })).toMatchObject([
      { reporter: 'src', action: 'allow', packetsOut: 1, packetsIn: 0 },
      { reporter: 'dst', action: 'deny', packetsIn: 1, packetsOut: 0 },
    ]);
  });

  it('turns a denied reply round: it is of the flow that the other end opened', () => {
    const egressWord = (4 << 8) | DENY;
    expect(tellDenied({ isReply: true, egressWord, ingressWord: INGRESS, reason: 'drop_egress_policy' })).toMatchObject(
      [
        {
          reporter: 'src',
          source: { name: 'db', port: 22 },
          destination: { name: 'web-1', port: 40_000 },
          packetsIn: 1,
          packetsOut: 0,
        },
      ],
    );
  });

  it('has room for so many denied flows, and counts what it has none for', () => {
    const denied = new DeniedFlows(1);
    for (const sourcePort of [1, 2, 2, 1]) denied.add({ ...EVENT, sourcePort }, 0);
    denied.add({ ...EVENT, kind: 'dropped' }, 0);
    expect([...denied.take()].map(({ packets }) => packets)).toEqual([2]);
    expect(denied.leftOut).toEqual({ records: 2, packets: 2, bytes: 120 });
  });
});
