import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../../../src/abi/event.gen.ts';
import { resolveAuto } from '../../../../src/agent/log-action/auto-log.ts';
import { PacketLog } from '../../../../src/agent/log-action/packet-log.ts';
import { Logger } from '../../../../src/base/log.ts';
import type { LoggedRule } from '../../../../src/observe/export/log-action.ts';
import { eventChunk as chunk } from '../../../support/export/event-chunk.ts';

const RULE: LoggedRule = {
  tier: 'default',
  kind: 'np',
  namespace: 'shop',
  name: 'web',
  direction: 'ingress',
  index: 0,
};

let folder: string;
let log: PacketLog;
let rule: LoggedRule;
const file = () => join(folder, 'packets.jsonl');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-packet-log-'));
  rule = RULE;
  log = new PacketLog({
    rules: { find: () => [rule] },
    names: { endpointAt: () => undefined, interfaceName: (ifindex) => `eth${ifindex}` },
    host: 'node-1',
    log: new Logger({ level: 'error', write: () => {} }),
  });
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true });
});

const configure = (change: { logActionRate?: string; logPrefix?: string; packetLog?: string } = {}) =>
  log.configure({
    packetLog: `file://${file()}`,
    logPrefix: 'calico-packet',
    logActionRate: '',
    logActionBurst: 5,
    ...change,
  });

interface Line {
  readonly text: string;
  readonly suppressed: number;
  readonly packet?: Record<string, string | number>;
}

async function lines(): Promise<Line[]> {
  await log.close();
  return readFileSync(file(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('PacketLog', () => {
  it('writes a line for each packet that met a Log rule', async () => {
    await configure({ logPrefix: '%t/%p' });
    log.take(chunk(2, EventKind.LOG));
    const [first, second] = await lines();
    expect(first?.text).toBe(
      'default/shop/web: IN=eth3 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 PROTO=TCP SPT=40000 DPT=80 VERDICT=allow',
    );
    expect(second?.packet?.SPT).toBe(40001);
  });

  it('takes denied packets whose list has logged, and leaves alone what has not, or has an event of its own', async () => {
    await configure();
    log.take(chunk(1, EventKind.DENIED));
    log.take(chunk(1, EventKind.FLOW_REVOKED));
    log.take(chunk(4, EventKind.DENIED, 0));
    log.take(chunk(4, EventKind.NEW_FLOW));
    log.take(chunk(4, EventKind.DROPPED));
    expect((await lines()).map(({ packet }) => packet?.VERDICT)).toEqual(['deny', 'deny']);
  });

  it('counts what its rate leaves out, for each rule, and says it', async () => {
    await configure({ logActionRate: '1/hour' });
    log.take(chunk(100, EventKind.LOG));
    rule = { ...RULE, index: 1 };
    log.take(chunk(7, EventKind.LOG));
    expect(log.counters()).toMatchObject({ lines: 10, suppressed: 97 });
    const all = await lines();
    expect(all.filter(({ packet }) => packet !== undefined)).toHaveLength(10);
    const told = all.filter(({ packet }) => packet === undefined);
    expect(told.map(({ text }) => text)).toEqual(['calico-packet: SUPPRESSED=95', 'calico-packet: SUPPRESSED=2']);
  });

  it('goes where it is told to from then on, and nowhere', async () => {
    await configure();
    log.take(chunk(1, EventKind.LOG));
    await configure({ packetLog: '' });
    log.take(chunk(5, EventKind.LOG));
    expect(log.counters()).toMatchObject({ lines: 1, exporters: [] });
    expect(await lines()).toHaveLength(1);
  });

  it('refuses places that packets are not told to, and goes on as before', async () => {
    await configure();
    await expect(configure({ packetLog: 'ipfix+udp://127.0.0.1' })).rejects.toThrow(/of another kind/);
    log.take(chunk(1, EventKind.LOG));
    expect(await lines()).toHaveLength(1);
  });

  it('is not upset by a chunk that is not whole', async () => {
    await configure();
    log.take(chunk(2, EventKind.LOG).subarray(0, 100));
    log.take(new Uint8Array([0, 0, 0, 0, 9]));
    expect(log.counters().lines).toBeLessThanOrEqual(1);
  });
});

describe('resolveAuto', () => {
  it('is the journal, else the syslog of the machine, else nothing', () => {
    expect(resolveAuto('auto', () => true)).toBe('journald:/run/systemd/journal/socket');
    expect(resolveAuto('auto', (path) => path === '/dev/log')).toBe('syslog+unix:///dev/log#facility=kern');
    expect(resolveAuto('auto', () => false)).toBe('');
    expect(resolveAuto('file:///x')).toBe('file:///x');
  });
});
