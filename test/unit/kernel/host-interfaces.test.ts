import { describe, expect, it } from 'vitest';
import { decodeHostInterface, HostDims, HostFlags, HostInterface } from '../../../src/abi/host.gen.ts';
import { HostInterfaces } from '../../../src/kernel/host-interfaces.ts';
import type { HostLists, HostTable } from '../../../src/kernel/host-table.ts';

const SLOTS = 16;
const NOBODY: HostLists = { flags: 0, ids: [0, 0, 0, 0] };

function lists(first: number, flags: number = HostFlags.NORMAL): HostLists {
  return { flags, ids: [first, first + 1, first + 2, first + 3] };
}

function table(
  interfaces: readonly (readonly [number, HostLists])[],
  others = lists(90, HostFlags.ANY_LOCAL),
): HostTable {
  return { interfaces: new Map(interfaces), others };
}

/** What the programs would find for an interface under a root: the row with its number in any place that they look at. */
function found(words: Uint32Array, ifindex: number, root: 0 | 1): HostLists {
  const view = new DataView(words.buffer);
  const places = Array.from({ length: HostDims.PROBES }, (_, probe) => (ifindex + probe) & (SLOTS - 1));
  const row = places.find((slot) => view.getUint32(slot * HostInterface.SIZE, true) === ifindex) ?? SLOTS;
  const { flags, id } = decodeHostInterface(view, row * HostInterface.SIZE).lists[root] as {
    flags: number;
    id: number[];
  };
  return { flags, ids: id };
}

function empty(): Uint32Array {
  return new Uint32Array(((SLOTS + 1) * HostInterface.SIZE) / 4);
}

describe('the table of host interfaces', () => {
  it('changes nothing under the root in force until the other one is, and then all', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    writer.prepare(table([[5, lists(10)]]), 1);
    expect(found(words, 5, 0)).toEqual(NOBODY);
    expect(found(words, 5, 1)).toEqual(lists(10));
    expect(found(words, 6, 1)).toEqual(lists(90, HostFlags.ANY_LOCAL));
    writer.settle(1);
    expect([found(words, 5, 0), found(words, 6, 0)]).toEqual([lists(10), lists(90, HostFlags.ANY_LOCAL)]);
  });

  it('gives a new interface what holds for all others, until its own lists are in force', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    writer.prepare(table([]), 1);
    writer.settle(1);
    writer.prepare(table([[5, lists(10)]]), 0);
    expect(found(words, 5, 1)).toEqual(lists(90, HostFlags.ANY_LOCAL));
    expect(found(words, 5, 0)).toEqual(lists(10));
  });

  it('lets go of an interface that is gone once nobody is judged by its lists', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    writer.prepare(table([[5, lists(10)]]), 1);
    writer.settle(1);
    writer.prepare(table([]), 0);
    expect(found(words, 5, 1)).toEqual(lists(10));
    expect(found(words, 5, 0)).toEqual(lists(90, HostFlags.ANY_LOCAL));
    writer.settle(0);
    expect(words.filter((_, at) => at % (HostInterface.SIZE / 4) === 0)).toEqual(new Uint32Array(SLOTS + 1));
  });

  it('knows what is in force, also when another process wrote it, and forgets what never was', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    const inForce = table([
      [5, lists(10)],
      [21, lists(20)],
    ]);
    writer.prepare(inForce, 1);
    expect(writer.isInForce(inForce)).toBe(false);
    writer.settle(1);
    expect(writer.isInForce(inForce)).toBe(true);
    writer.prepare(table([[7, lists(30)]]), 0);
    const successor = new HostInterfaces(words, 1);
    expect(successor.isInForce(inForce)).toBe(true);
    expect([5, 21, 7].map((ifindex) => found(words, ifindex, 0))).toEqual([
      lists(10),
      lists(20),
      lists(90, HostFlags.ANY_LOCAL),
    ]);
  });

  it('says that nothing is in force for certain while another table is about to be', () => {
    const writer = new HostInterfaces(empty(), 0);
    const [first, second] = [table([[5, lists(10)]]), table([[5, lists(20)]])];
    writer.prepare(first, 1);
    writer.settle(1);
    writer.prepare(second, 0);
    expect([first, second].map((each) => writer.isInForce(each))).toEqual([false, false]);
    writer.settle(0);
    expect([first, second].map((each) => writer.isInForce(each))).toEqual([false, true]);
    expect(writer.inForce).toEqual(second);
  });

  it('undoes what others write, row by row', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    writer.prepare(table([[5, lists(10)]]), 1);
    writer.settle(1);
    const before = words.slice();
    expect(writer.restore()).toBe(0);
    const slot = words.indexOf(5) / (HostInterface.SIZE / 4);
    words.fill(7, (slot * HostInterface.SIZE) / 4, ((slot + 1) * HostInterface.SIZE) / 4);
    words[(SLOTS * HostInterface.SIZE) / 4 + 2] = 0;
    expect(writer.restore()).toBe(2);
    expect(words).toEqual(before);
    expect(writer.restore()).toBe(0);
  });

  it('refuses an interface that there is no place for, and leaves what is in force', () => {
    const words = empty();
    const writer = new HostInterfaces(words, 0);
    const numbers = Array.from({ length: HostDims.PROBES + 1 }, (_, index) => 3 + index * SLOTS);
    const full = table(numbers.slice(1).map((ifindex) => [ifindex, lists(ifindex)]));
    writer.prepare(full, 1);
    writer.settle(1);
    const tooMany = table(numbers.map((ifindex) => [ifindex, lists(ifindex)]));
    expect(() => writer.prepare(tooMany, 0)).toThrow(expect.objectContaining({ code: 'TABLE_FULL' }));
    expect(writer.isInForce(full)).toBe(true);
    for (const ifindex of numbers.slice(1)) expect(found(words, ifindex, 1)).toEqual(lists(ifindex));
  });
});
