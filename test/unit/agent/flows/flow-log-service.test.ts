import { describe, expect, it } from 'vitest';
import { encodeFlowReport, FlowKind, FlowReport } from '../../../../src/abi/flow.gen.ts';
import { FlowLogService } from '../../../../src/agent/flows/flow-log-service.ts';
import { Logger } from '../../../../src/base/log.ts';
import type { FlowNames } from '../../../../src/model/name-lookup.ts';
import { FlowHub } from '../../../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';

/** A report of so many packets of 100 bytes. */
function report(packets: number): Uint8Array {
  const bytes = new Uint8Array(FlowReport.SIZE);
  encodeFlowReport(new DataView(bytes.buffer), 0, {
    key: {
      address: [{ word: [0, 0, 0xffff, 1] }, { word: [0, 0, 0xffff, 2] }],
      port: [1, 2],
      protocol: 17,
      kind: FlowKind.PORTS,
    },
    egress_word: 0x101,
    ingress_word: 0,
    host_word: 0,
    phase: 1,
    state: 0,
    flags: 0,
    tcp_flags: 0,
    created_jiffies: 0n,
    since_jiffies: 0n,
    until_jiffies: 100n,
    packets: [BigInt(packets), 0n],
    bytes: [BigInt(100 * packets), 0n],
  });
  return bytes;
}

class Kernel {
  /** What the next sweep finds. */
  fresh: Uint8Array[] = [];
  calls: string[] = [];
  lost = 0n;
  leftOut = { reports: 0, packets: 0, bytes: 0 };
  /** From the next sweep on. */
  leavesOut = this.leftOut;
  isBroken = false;
  /** How many reports it was asked for at most, chunk by chunk. */
  asked: number[] = [];
  time = 5000;

  readonly flowCounting = {
    open: () => {
      if (this.isBroken) throw new Error('no room');
      this.calls.push('open');
      return this.#counter();
    },
    forget: () => this.calls.push('forget'),
  };

  closeEvents(): void {
    this.calls.push('closeEvents');
  }

  counters() {
    return Array.from({ length: 32 }, () => ({ packets: this.lost, bytes: 10n * this.lost }));
  }

  #counter() {
    const kernel = this;
    return {
      now: () => ({ jiffies: 100, hz: 100 }),
      flush: () => 0,
      *sweep(): Generator<Uint8Array, void> {
        kernel.calls.push('sweep');
        for (const part of kernel.fresh.splice(0)) yield part;
        kernel.leftOut = kernel.leavesOut;
      },
      settle: (_: Uint8Array, most: number) => {
        kernel.asked.push(most);
        return report(7);
      },
      get leftOut() {
        return kernel.leftOut;
      },
      close: () => void kernel.calls.push('close'),
    };
  }
}

/** What words say changes with the policy, ends with the next renewal. */
class Names implements FlowNames {
  inForce: string | undefined;
  #known: string | undefined = 'old';

  endAt() {
    const name = this.inForce === undefined ? undefined : this.#known;
    if (name === undefined) return undefined;
    return { type: 'wep' as const, namespace: 'shop', name, aggregatedName: name, labels: {}, isLocal: true };
  }

  serviceAt() {
    return undefined;
  }

  verdict() {
    const name = this.inForce ?? 'old';
    const entry = { tier: 'default', kind: 'np', namespace: 'shop', name, action: 'allow' as const, ruleIndex: 0 };
    return { verdict: 'allow' as const, trace: [entry] };
  }

  renew(): boolean {
    const isOther = this.inForce !== undefined && this.#known !== this.inForce;
    if (isOther) this.#known = this.inForce;
    return isOther;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function setUp(flowLogs: 'on' | 'off' = 'on') {
  const lines: string[] = [];
  const log = new Logger({ level: 'info', write: (line) => lines.push(line) });
  const hub = new FlowHub(log);
  const kernel = new Kernel();
  const names = new Names();
  const service = new FlowLogService({
    dataplane: kernel,
    hub,
    names,
    node: 'node1',
    log,
    options: { flowLogs, flowLogsInterval: 3600 },
    now: () => kernel.time,
  });
  const logs: FlowLog[] = [];
  hub.listen((batch) => logs.push(...batch));
  return { service, hub, kernel, logs, lines, names };
}

describe('FlowLogService', () => {
  it('hands out what a sweep finds, and what events tell of flows that went', async () => {
    const { service, kernel, logs } = setUp();
    service.start();
    kernel.fresh = [report(2), report(3)];
    await service.read();
    service.take(new Uint8Array());
    expect(logs.map(({ packetsOut }) => packetsOut)).toEqual([2, 3, 7]);
    expect(logs[0]).toMatchObject({ node: 'node1', startTime: 4000, endTime: 5000, source: { name: 'pub' } });
    expect(service.status()).toMatchObject({ isOn: true, records: 3 });
    await service.stop();
  });

  it('tells the old policy its own before another comes, and only then', async () => {
    const { service, kernel, logs } = setUp();
    const policy = {};
    service.start();
    kernel.fresh = [report(2)];
    service.policyChanges(policy);
    expect(kernel.calls).toEqual(['open', 'sweep']);
    await service.read();
    expect(logs).toHaveLength(1);
    kernel.calls = [];
    service.policyChanges(policy);
    expect(kernel.calls).toEqual([]);
    service.policyChanges({});
    expect(kernel.calls).toEqual(['sweep']);
  });

  it('describes what was of the old policy afterwards, with its names and words, before anything newer', async () => {
    const { service, kernel, logs, names } = setUp();
    names.inForce = 'old';
    service.start();
    kernel.fresh = [joined(Array.from({ length: 3000 }, () => report(2))), report(3)];
    service.policyChanges({});
    // A change of policy does not wait for it.
    expect(logs).toEqual([]);
    names.inForce = 'new';
    kernel.fresh = [report(4)];
    await service.read();
    const said = logs.map(({ packetsOut, enforced, source }) => `${packetsOut} ${enforced} ${source.name}`);
    expect(new Set(said)).toEqual(
      new Set([
        '2 0|default|np:shop/old|allow|0 old',
        '3 0|default|np:shop/old|allow|0 old',
        '4 0|default|np:shop/new|allow|0 new',
      ]),
    );
    expect([said.length, said.at(-1)?.startsWith('4')]).toEqual([3002, true]);
  });

  it('takes what was read of events, then what is in the table, and ends', async () => {
    const { service, kernel, logs } = setUp();
    service.start();
    kernel.fresh = [report(2)];
    await service.stop();
    expect(kernel.calls).toEqual(['open', 'closeEvents', 'sweep', 'close']);
    expect(logs).toHaveLength(1);
  });

  it('has nothing open while off, and begins and ends as it is told', async () => {
    const { service, kernel, logs } = setUp('off');
    service.start();
    service.take(new Uint8Array());
    await service.read();
    expect([kernel.calls, logs]).toEqual([['forget'], []]);
    await service.configure({ flowLogs: 'on', flowLogsInterval: 3600 });
    await service.configure({ flowLogs: 'off', flowLogsInterval: 3600 });
    expect(kernel.calls).toEqual(['forget', 'open', 'sweep', 'close', 'forget']);
  });

  it('counts what is lost from its start on, and says when it begins to leave out', async () => {
    const { service, hub, kernel, lines } = setUp();
    kernel.lost = 5n;
    service.start();
    kernel.lost = 7n;
    expect(hub.lost).toMatchObject({
      eventsLost: 2,
      packetsLost: 4,
      bytesLost: 40,
      eventsSuppressed: 2,
      bytesSuppressed: 20,
    });
    kernel.fresh = [report(1)];
    kernel.leavesOut = { reports: 3, packets: 30, bytes: 300 };
    await service.read();
    expect(hub.lost).toMatchObject({
      recordsSampledOut: 3,
      packetsSampledOut: 30,
      bytesSampledOut: 300,
      deniedSampledOut: 0,
    });
    await service.stop();
    expect(hub.lost).toMatchObject({ recordsSampledOut: 3 });
    expect(lines.join()).toContain('some are counted only');
  });

  it('says once that it samples in a flood that comes and goes, and once that it is over', async () => {
    const { service, kernel, lines } = setUp();
    service.start();
    const look = async (leftOut: number, time: number): Promise<boolean> => {
      kernel.time = time;
      kernel.leavesOut = { reports: leftOut, packets: leftOut, bytes: 0 };
      await service.read();
      return service.status().isSampling;
    };
    expect(await look(0, 5000)).toBe(false);
    expect(await look(3, 10_000)).toBe(true);
    expect(await look(3, 15_000)).toBe(true);
    expect(await look(9, 20_000)).toBe(true);
    expect(await look(9, 34_000)).toBe(true);
    expect(await look(9, 35_000)).toBe(false);
    expect(lines.filter((line) => line.includes('some are counted only'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('tell of all flows again'))).toHaveLength(1);
  });

  it('describes so many reports of events in a second, and what it did not use of the second before', () => {
    const { service, kernel } = setUp();
    service.start();
    const askAt = (time: number): number => {
      kernel.time = time;
      service.take(new Uint8Array());
      return kernel.asked.at(-1) as number;
    };
    const most = askAt(5000);
    expect([askAt(5000), askAt(5000)]).toEqual([most - 1, most - 2]);
    expect(askAt(60_000)).toBe(most);
    expect(askAt(0)).toBe(most - 1);
    expect(askAt(1)).toBe(Math.min(most, most - 2 + most / 2000));
  });

  it('counts the packets that it tells of, each once', async () => {
    const { service, kernel } = setUp();
    service.start();
    kernel.fresh = [report(2), report(3)];
    await service.read();
    service.take(new Uint8Array());
    expect(service.status().packets).toBe(12);
  });

  it('leaves the agent alone where flows cannot be counted', async () => {
    const { service, kernel, lines } = setUp();
    expect(service.failure).toBeUndefined();
    kernel.isBroken = true;
    service.start();
    await service.stop();
    expect(lines.join()).toContain('no room');
    expect(service.failure).toBe('no room');
    await service.configure({ flowLogs: 'off', flowLogsInterval: 5 });
    expect(service.failure).toBeUndefined();
    expect(service.status().isOn).toBe(false);
  });

  it('keeps a listener that throws from nobody else', () => {
    const { service, hub, logs, lines } = setUp();
    hub.listen(() => {
      throw new Error('full');
    });
    const others: number[] = [];
    hub.listen((batch) => others.push(batch.length));
    service.start();
    service.take(new Uint8Array());
    expect([logs.length, others]).toEqual([1, [1]]);
    expect(lines.join()).toContain('full');
  });
});
