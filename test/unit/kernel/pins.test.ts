import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Layout } from '../../../src/abi/common.gen.ts';
import {
  filteredInterfaces,
  interfaceOfLink,
  LIVE_MAPS,
  Pins,
  placeOfSuccessor,
  successorOf,
} from '../../../src/kernel/pins.ts';

const TABLES = `v${Layout.VERSION}`;
const LIVE = `live-v${Layout.LIVE_VERSION}`;

describe('pins', () => {
  let root: string;
  let pins: Pins;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tortie-pins-'));
    pins = new Pins(root);
    for (const directory of pins.mapDirectories) mkdirSync(directory, { recursive: true });
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it.each([
    ['tt_heap', join(TABLES, 'maps', 'tt_heap')],
    ['tt_events', join(TABLES, 'maps', 'tt_events')],
    ['tt_flows', join(LIVE, 'tt_flows')],
    ['tt_counters', join(LIVE, 'tt_counters')],
    ['tt_switch', join('bridge', 'tt_switch')],
    ['tt_sides', join('bridge', 'tt_sides')],
  ])('have %s where those look who need it', (name, path) => {
    expect(pins.map(name)).toBe(join(root, path));
  });

  it('have links where every version looks', () => {
    expect(pins.link('cali1', 'ingress')).toBe(join(root, 'links', 'cali1-ingress'));
    expect(pins.hasInterfaces).toBe(false);
    mkdirSync(pins.linkDirectory);
    writeFileSync(pins.link('cali1', 'ingress'), '');
    expect(pins.hasInterfaces).toBe(true);
  });

  it('have a mark for each interface with filters', () => {
    mkdirSync(join(pins.filterDirectory, '17'), { recursive: true });
    mkdirSync(join(pins.filterDirectory, 'somebody'));
    expect(filteredInterfaces(root)).toEqual([17]);
    expect(pins.hasInterfaces).toBe(true);
  });

  it.each([
    ['cali1', 'cali1-ingress'],
    ['vlan.7', 'vlan:7-ingress'],
    ['a-egress', 'a-egress-ingress'],
  ])('know the link of %s as %s', (name, file) => {
    expect(pins.link(name, 'ingress')).toBe(join(root, 'links', file));
    expect(interfaceOfLink(file)).toBe(name);
    const successor = successorOf(file);
    expect(interfaceOfLink(successor)).toBeUndefined();
    expect([successor, file].map(placeOfSuccessor)).toEqual([file, undefined]);
  });

  it('let go of the tables of this layout, and of nothing else', () => {
    for (const name of ['tt_heap', ...LIVE_MAPS, 'tt_switch']) writeFileSync(pins.map(name), '');
    pins.removeTables();
    expect(existsSync(pins.map('tt_heap'))).toBe(false);
    expect([...LIVE_MAPS, 'tt_switch'].every((name) => existsSync(pins.map(name)))).toBe(true);
    expect(pins.mapDirectories.every((directory) => existsSync(directory))).toBe(true);
  });

  it('let go of other layouts, whatever is in them, and keep what is not theirs', () => {
    const others = ['v1', 'v1003', 'live-v99'];
    for (const name of others) mkdirSync(join(root, name, 'maps'), { recursive: true });
    writeFileSync(join(root, 'v1', 'maps', 'tt_heap'), '');
    for (const name of ['links', 'v1x', 'xlive-v1']) mkdirSync(join(root, name));
    pins.removeOthers();
    expect(readdirSync(root).sort()).toEqual(['bridge', 'links', LIVE, TABLES, 'v1x', 'xlive-v1'].sort());
  });
});
