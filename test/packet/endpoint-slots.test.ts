// An endpoint that the tables have no place for costs itself only: all others are in force, and one layout takes over from another.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Layout } from '../../src/abi/common.gen.ts';
import { decodeEndpoint, Endpoint, EndpointDims } from '../../src/abi/endpoint.gen.ts';
import { Bridge } from '../../src/kernel/bridge.ts';
import type { Dataplane } from '../../src/kernel/dataplane.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { BpffsMount, openObject } from '../abi/native/fixture.ts';
import { bindAll, desiredPods, openSmall } from './support/small-dataplane.ts';

const SLOTS = EndpointDims.PROBES;
const OTHER = Layout.VERSION + 7;

describe('endpoints that outnumber the slots', () => {
  let bpffs: BpffsMount;
  let pins: Pins;
  let dataplane: Dataplane | undefined;
  const desired = desiredPods(SLOTS + 2);
  const bindings = bindAll(desired);

  beforeEach(() => {
    bpffs = new BpffsMount();
    pins = new Pins(bpffs.file('tortie'));
    pins.create(bpffs.path);
  });

  afterEach(() => {
    dataplane?.close();
    dataplane = undefined;
    bpffs.close();
  });

  function ifindexesInForce(): number[] {
    const map = loadNative().BpfMap.openPinned(pins.map('tt_endpoints'));
    const view = new DataView(map.mmap());
    const found = Array.from({ length: SLOTS }, (_, slot) => decodeEndpoint(view, slot * Endpoint.SIZE).ifindex);
    map.close();
    return found.filter((ifindex) => ifindex !== 0).sort();
  }

  const refusedNow = (): number[] => [...(dataplane?.unplaced.keys() ?? [])];

  it('are in force but for the last ones, which are named', async () => {
    dataplane = await openSmall(bpffs.path, pins.root);
    await dataplane.apply(desired, { bindings, interfaces: [] });
    expect(ifindexesInForce()).toEqual(bindings.slice(0, SLOTS).map(({ ifindex }) => ifindex));
    expect(refusedNow()).toEqual([100 + SLOTS, 101 + SLOTS]);
    expect(dataplane.unplaced.get(100 + SLOTS)).toMatchObject({ code: 'TABLE_FULL' });
    expect(await dataplane.apply(desired, { bindings: [...bindings], interfaces: [] })).toEqual({ isChanged: false });
    expect(refusedNow()).toHaveLength(2);
  });

  it('come in force when others leave, with the same policy', async () => {
    dataplane = await openSmall(bpffs.path, pins.root);
    await dataplane.apply(desired, { bindings, interfaces: [] });
    await dataplane.apply(desired, { bindings: bindings.slice(1), interfaces: [] });
    expect(refusedNow()).toEqual([101 + SLOTS]);
    await dataplane.apply(desired, { bindings: bindings.slice(2), interfaces: [] });
    expect(refusedNow()).toEqual([]);
    expect(ifindexesInForce()).toEqual(bindings.slice(2).map(({ ifindex }) => ifindex));
  });

  it('come in force when another one has moved', async () => {
    dataplane = await openSmall(bpffs.path, pins.root);
    const few = bindings.slice(0, SLOTS);
    await dataplane.apply(desired, { bindings: few.slice(0, SLOTS - 1), interfaces: [] });
    // One entry is written beside the one before, which a packet may be reading: for that moment there is no slot for another.
    const moved = few.map((binding, index) => (index === 0 ? { ...binding, mtu: 9000 } : binding));
    await dataplane.apply(desired, { bindings: moved, interfaces: [] });
    expect(refusedNow()).toEqual([]);
    expect(ifindexesInForce()).toEqual(few.map(({ ifindex }) => ifindex));
  });

  it('do not keep one layout from taking over from another', async () => {
    const object = openObject();
    const bridge = new Bridge(pins);
    bridge.renew(OTHER, 1, { ingress: object.program('pass'), egress: object.program('pass') });
    bridge.close();
    dataplane = await openSmall(bpffs.path, pins.root);
    expect(dataplane.takesOverFrom).toBe(OTHER);
    await dataplane.apply(desired, { bindings, interfaces: [] });
    expect(dataplane.takesOverFrom).toBeUndefined();
    expect(refusedNow()).toHaveLength(2);
    const after = new Bridge(pins);
    expect(after.version).toBe(Layout.VERSION);
    after.close();
    object.close();
  });
});
