// An array of programs that takes none of ours, because it was begun by programs of another kind, or compiled otherwise: a new
// one is used until nobody goes by the one before, and interfaces have a program that judges all the while.
import { existsSync, unlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Layout } from '../../src/abi/common.gen.ts';
import { SideProgram } from '../../src/abi/takeover.gen.ts';
import { Attachments } from '../../src/kernel/attachment.ts';
import { Bridge } from '../../src/kernel/bridge.ts';
import type { BpfObject } from '../../src/kernel/native.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { Pins, successorOf } from '../../src/kernel/pins.ts';
import { Takeover } from '../../src/kernel/takeover.ts';
import { BpffsMount } from '../abi/native/fixture.ts';
import { HookPlace } from './support/hook-place.ts';
import { bindAll, desiredPods, openSmall } from './support/small-dataplane.ts';

const OTHER = Layout.VERSION + 7;

describe('an array that takes no program of ours', () => {
  let bpffs: BpffsMount;
  let pins: Pins;
  let place: HookPlace;
  let opened: { close(): void }[];

  beforeEach(() => {
    bpffs = new BpffsMount();
    pins = new Pins(bpffs.file('tortie'));
    pins.create(bpffs.path);
    place = new HookPlace();
    opened = [];
  });

  afterEach(() => {
    for (const each of opened) each.close();
    place.close();
    bpffs.close();
  });

  function openBridge(): Bridge {
    const bridge = new Bridge(pins);
    opened.push(bridge);
    return bridge;
  }

  const pinned = (): number => {
    const map = loadNative().BpfMap.openPinned(pins.map('tt_sides'));
    const { id } = map.info;
    map.close();
    return id;
  };

  /** As if programs of before had been compiled otherwise. Returns the number of the array. */
  function beginArray(): number {
    const object: BpfObject = loadNative().BpfObject.open(builtFile('build/bpf/test/hook.bpf.o'), {});
    const sides = object.map('programs');
    sides.setProgram(SideProgram.FROM_WORKLOAD, object.program('other_kind'));
    sides.pin(pins.map('tt_sides'));
    const { id } = sides.info;
    object.close();
    return id;
  }

  /** What an agent before, of that layout, has in force. Its array is another one then. */
  function beginBefore(version: number): number {
    const bridge = new Bridge(pins);
    bridge.renew(version, 1, place.both('ours'));
    bridge.close();
    const attachments = place.run(() => new Attachments(place.both('ours'), 'tcx', pins, place.both('stand_in')));
    place.run(() => attachments.ensure(place.target));
    attachments.close();
    unlinkSync(pins.map('tt_sides'));
    return beginArray();
  }

  it('stays pinned until nobody goes by it, and then ours is', () => {
    const before = beginArray();
    const bridge = openBridge();
    expect(bridge.isApart).toBe(true);
    expect([...bridge.maps.keys()]).toEqual(['tt_switch']);
    expect(pinned()).toBe(before);
    bridge.renew(Layout.VERSION, 1, place.both('ours'));
    expect(bridge.programs.ingress.testRun({ data: new Uint8Array(64) }).returnValue).toBe(0);
    bridge.join();
    expect(bridge.isApart).toBe(false);
    expect(pinned()).toBe(bridge.maps.get('tt_sides')?.info.id);
    expect(existsSync(successorOf(pins.map('tt_sides')))).toBe(false);
    expect(openBridge().isApart).toBe(false);
  });

  it('does not keep the same layout from going on', () => {
    beginBefore(Layout.VERSION);
    const bridge = openBridge();
    const takeover = new Takeover(bridge, pins);
    takeover.begin(place.both('later'));
    const attachments = place.run(() => new Attachments(place.both('later'), 'tcx', pins, bridge.programs));
    opened.push(attachments);
    place.run(() => takeover.finish(attachments));
    expect(place.programs('egress')).toEqual(['later']);
    expect(bridge).toMatchObject({ isApart: false, version: Layout.VERSION, leadsOn: true });
  });

  it('does not keep a layout from taking over: interfaces get its programs one by one', () => {
    const before = beginBefore(OTHER);
    const bridge = openBridge();
    const takeover = new Takeover(bridge, pins);
    takeover.begin(place.both('later'));
    const attachments = place.run(() => new Attachments(place.both('later'), 'tcx', pins, bridge.programs));
    opened.push(attachments);
    attachments.leavesOthers = takeover.leavesOthers;
    place.run(() => attachments.ensure(place.target));
    expect(place.programs('egress')).toEqual(['ours']);
    expect(pinned()).toBe(before);
    place.run(() => takeover.cross(attachments));
    expect(place.programs('egress')).toEqual(['later']);
    expect(bridge).toMatchObject({ version: Layout.VERSION, leadsOn: true });
    expect(pinned()).not.toBe(before);
    place.run(() => takeover.finish(attachments));
    expect(openBridge()).toMatchObject({ isApart: false, version: Layout.VERSION, leadsOn: true });
  });

  it('that has no program of the side in force is not led to', () => {
    const former = openBridge();
    former.renew(OTHER, 1, place.both('ours'));
    former.close();
    unlinkSync(pins.map('tt_sides'));
    const bridge = openBridge();
    expect(bridge).toMatchObject({ isApart: false, version: OTHER, leadsOn: false });
    const takeover = new Takeover(bridge, pins);
    takeover.begin(place.both('later'));
    const attachments = place.run(() => new Attachments(place.both('later'), 'tcx', pins, bridge.programs));
    opened.push(attachments);
    place.run(() => attachments.ensure(place.target));
    const link = loadNative().BpfLink.openPinned(pins.link('one', 'egress'));
    link.update(place.program('ours'));
    link.close();
    place.run(() => takeover.cross(attachments));
    expect(place.programs('egress')).toEqual(['later']);
  });

  it('is noticed by a whole dataplane, which comes into force all the same', async () => {
    beginArray();
    const desired = desiredPods(2);
    const dataplane = await openSmall(bpffs.path, pins.root);
    opened.push(dataplane);
    expect(dataplane.isApart).toBe(true);
    expect(dataplane.restore()).toEqual([]);
    await dataplane.apply(desired, { bindings: bindAll(desired), interfaces: [] });
    expect(dataplane.isApart).toBe(false);
    expect(dataplane.restore()).toEqual([]);
  });
});
