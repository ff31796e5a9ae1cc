import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/model/address.ts';
import { AddressClasses } from '../../../src/tables/address-classes.ts';
import { DEFAULT_TABLE_LIMITS, type TableLimits } from '../../../src/tables/limits.ts';
import { NumberClasses } from '../../../src/tables/number-classes.ts';
import { RegionStore } from '../../../src/tables/region-store.ts';

const limits = (changed: Partial<TableLimits>): TableLimits => ({ ...DEFAULT_TABLE_LIMITS, ...changed });

function prefixes(...texts: readonly (readonly [string, ...number[]])[]) {
  return texts.map(([text, ...sets]) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(text);
    return { cidr, sets: new Map(sets.map((set) => [set, 1])) };
  });
}

function newStore(changed: Partial<TableLimits>): RegionStore {
  return new RegionStore({
    name: 'tt_test',
    capacity: 4096,
    granularity: 4,
    reserved: 4,
    setting: 'tables.test',
    most: 2 ** 20,
    limits: limits(changed),
  });
}

describe('AddressClasses', () => {
  it('refuse more classes than the limit, and go on when there are fewer', () => {
    const classes = new AddressClasses(limits({ addressClasses: 4 }));
    const three = prefixes(['10.0.0.0/8', 1], ['10.1.0.0/16', 2], ['11.0.0.0/8', 3]);
    expect(() => classes.update(three)).toThrow(/found 5 classes, expected at most 4 .*--limit address-classes=/);
    expect(classes.update(three.slice(0, 2)).classes).toHaveLength(4);
  });

  it('count the sets that a prefix inherits', () => {
    const nested = prefixes(['10.0.0.0/8', 1], ['10.0.0.0/16', 2], ['10.0.0.0/24', 3]);
    expect(() => new AddressClasses(limits({ prefixSets: 5 })).update(nested)).toThrow(/found 6 pairs/);
    expect(new AddressClasses(limits({ prefixSets: 6 })).update(nested).classes).toHaveLength(5);
  });

  it('give small ids again once large ones are free', () => {
    const classes = new AddressClasses();
    const many = Array.from({ length: 100 }, (_, index): [string, number] => [`10.0.${index}.0/24`, index]);
    for (let index = 100; index < 1500; index += 1) many.push([`10.${index >>> 8}.${index & 255}.0/24`, index]);
    const large = classes.update(prefixes(...many)).idLimit;
    expect(large).toBeGreaterThanOrEqual(1502);
    expect(classes.update(prefixes(['10.0.0.0/24', 0])).idLimit).toBeLessThan(large / 4);
  });
});

describe('NumberClasses', () => {
  it('refuse more classes than the limit, and go on when there are fewer', () => {
    const classes = new NumberClasses(100, 'sourcePortClasses', limits({ sourcePortClasses: 3 }));
    const sets = [
      [1, 1],
      [2, 2],
      [3, 3],
    ];
    expect(() => classes.update(sets)).toThrow(/found 4 classes, expected at most 3 .*--limit source-port-classes=/);
    expect(classes.update(sets.slice(0, 2)).ids).toHaveLength(3);
  });

  it('refuse sets that overlap too often', () => {
    const sets = Array.from({ length: 10 }, (_, index) => [index, 99 - index]);
    expect(() => new NumberClasses(100, 'l4Classes', limits({ portRanges: 20 })).update(sets)).toThrow(/port-ranges=/);
  });

  it('count what rows ask for from one update to the next', () => {
    const classes = new NumberClasses(100, 'l4Classes', limits({ rowWords: 50 }));
    const partition = classes.update([[1, 1]]);
    const ask = (): Uint32Array => partition.bitsOf([1, 1]);
    ask();
    ask();
    expect(ask).toThrow(/too many rules concern too many peers: found 51 words, expected at most 50/);
    classes.update([[1, 1]]);
    expect(ask()).toEqual(Uint32Array.of(2));
  });
});

describe('RegionStore', () => {
  it('refuses more words in one image than the limit, those of known regions included', () => {
    const store = newStore({ regionWords: 300 });
    store.beginImage();
    store.intern(Uint32Array.of(1));
    store.intern(Uint32Array.of(1));
    expect(() => store.intern(Uint32Array.of(1))).toThrow(/found 387 words, expected at most 300 .*region-words=/);
    store.beginImage();
    expect(store.intern(Uint32Array.of(1))).toBe(4);
  });
});
