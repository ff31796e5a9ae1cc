// One side hands over to the other: which programs judge at each step, and what an agent finds that comes after any of them.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Layout } from '../../src/abi/common.gen.ts';
import { Attachments } from '../../src/kernel/attachment.ts';
import { Bridge, generationInForce } from '../../src/kernel/bridge.ts';
import type { BpfObject } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { Takeover } from '../../src/kernel/takeover.ts';
import { BpffsMount, openObject } from '../abi/native/fixture.ts';

const [PASSES, DROPS] = [0, 2];
const OTHER = Layout.VERSION + 7;

describe('a takeover', () => {
  let bpffs: BpffsMount;
  let pins: Pins;
  let bridge: Bridge;
  let object: BpfObject;

  beforeEach(() => {
    bpffs = new BpffsMount();
    pins = new Pins(bpffs.file('tortie'));
    pins.create(bpffs.path);
    bridge = new Bridge(pins);
    object = openObject();
  });

  afterEach(() => {
    object.close();
    bridge.close();
    bpffs.close();
  });

  const passing = () => ({ ingress: object.program('pass'), egress: object.program('pass') });
  const dropping = () => ({ ingress: object.program('drop'), egress: object.program('drop') });
  const noInterfaces = () => new Attachments(passing(), 'tcx', pins, bridge.programs);

  /** What a packet from and to a workload comes to at the bridge. */
  function verdicts(): number[] {
    const data = new Uint8Array(64);
    const { ingress, egress } = bridge.programs;
    return [ingress, egress].map((program) => program.testRun({ data }).returnValue);
  }

  /** As the next agent does, after this one was killed. */
  function reopen(): void {
    bridge.close();
    bridge = new Bridge(pins);
  }

  it('finds nothing in force where nothing is pinned, and drops there', () => {
    expect(bridge.version).toBe(0);
    expect(verdicts()).toEqual([DROPS, DROPS]);
    expect(new Takeover(bridge, pins).leavesOthers).toBe(false);
  });

  it('tells what comes from a workload from what goes to it', () => {
    bridge.renew(OTHER, 1, { ingress: object.program('pass'), egress: object.program('drop') });
    expect(verdicts()).toEqual([PASSES, DROPS]);
  });

  it('has the programs before judge until it crosses, and both hooks cross at once', () => {
    bridge.renew(OTHER, 1, passing());
    bridge.prepare(Layout.VERSION, 2, dropping());
    expect(verdicts()).toEqual([PASSES, PASSES]);
    expect(bridge.version).toBe(OTHER);
    bridge.cross();
    expect(verdicts()).toEqual([DROPS, DROPS]);
    expect(bridge.version).toBe(Layout.VERSION);
    bridge.clearOther();
    expect(verdicts()).toEqual([DROPS, DROPS]);
  });

  it('leaves programs that judge when whoever put them there is gone', () => {
    bridge.renew(OTHER, 1, passing());
    object.close();
    reopen();
    expect(verdicts()).toEqual([PASSES, PASSES]);
    object = openObject();
  });

  it('hands on what both sides have in common', () => {
    bridge.renew(OTHER, bridge.nextNumber(), passing());
    bridge.lastGeneration = 41;
    bridge.flowSeed.set([7, 8]);
    reopen();
    expect(bridge).toMatchObject({ version: OTHER, number: 1, lastGeneration: 41 });
    expect([...bridge.flowSeed]).toEqual([7, 8]);
    expect(bridge.nextNumber()).toBe(2);
    expect(generationInForce(pins)).toBe(41);
  });

  it('of the same layout changes programs and no number', () => {
    bridge.renew(Layout.VERSION, 5, passing());
    const takeover = new Takeover(bridge, pins);
    takeover.begin(dropping());
    expect(takeover).toMatchObject({ from: Layout.VERSION, isNeeded: false, leavesOthers: false, mark: 40 });
    expect(verdicts()).toEqual([DROPS, DROPS]);
  });

  it('of another layout begins with empty tables, whatever an earlier attempt left', () => {
    bridge.renew(OTHER, bridge.nextNumber(), passing());
    object.map('numbers').pin(pins.map('tt_heap'));
    object.map('numbers').pin(pins.map('tt_flows'));
    const takeover = new Takeover(bridge, pins);
    expect(takeover).toMatchObject({ from: OTHER, isNeeded: true, leavesOthers: true, mark: 16 });
    expect(existsSync(pins.map('tt_heap'))).toBe(false);
    expect(existsSync(pins.map('tt_flows'))).toBe(true);
    takeover.begin(dropping());
    expect(verdicts()).toEqual([PASSES, PASSES]);
  });

  it('crosses, lets go of the other side, and is finished', () => {
    bridge.renew(OTHER, 1, passing());
    mkdirSync(join(pins.root, `v${OTHER}`, 'maps'), { recursive: true });
    const takeover = new Takeover(bridge, pins);
    takeover.begin(dropping());
    takeover.cross(noInterfaces());
    expect(verdicts()).toEqual([DROPS, DROPS]);
    expect(takeover.isFinished).toBe(false);
    takeover.finish(noInterfaces());
    expect(takeover.isFinished).toBe(true);
    expect(readdirSync(pins.root)).not.toContain(`v${OTHER}`);
    reopen();
    expect(bridge.version).toBe(Layout.VERSION);
    expect(verdicts()).toEqual([DROPS, DROPS]);
  });

  it.each([
    ['before it crosses', () => {}, OTHER, PASSES],
    ['behind it', () => bridge.cross(), Layout.VERSION, DROPS],
  ] as const)('that is killed %s has one side in force, and goes back as it came', (_, step, version, verdict) => {
    bridge.renew(OTHER, bridge.nextNumber(), passing());
    bridge.prepare(Layout.VERSION, bridge.nextNumber(), dropping());
    step();
    reopen();
    expect(bridge.version).toBe(version);
    expect(verdicts()).toEqual([verdict, verdict]);
    const back = version === OTHER ? Layout.VERSION : OTHER;
    bridge.prepare(back, bridge.nextNumber(), passing());
    expect(verdicts()).toEqual([verdict, verdict]);
    bridge.cross();
    bridge.clearOther();
    expect(bridge.version).toBe(back);
    expect(verdicts()).toEqual([PASSES, PASSES]);
  });
});
