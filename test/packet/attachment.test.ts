// Our programs on hooks: first, alone, and there at any moment, whatever others do and whoever was killed on the way.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AttachMode, Attachments } from '../../src/kernel/attachment.ts';
import { cleanUp } from '../../src/kernel/clean-up.ts';
import { handOver } from '../../src/kernel/hand-over.ts';
import type { AttachDirection, BpfLink } from '../../src/kernel/native.ts';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins, successorOf } from '../../src/kernel/pins.ts';
import { BpffsMount } from '../abi/native/fixture.ts';
import { HookPlace } from './support/hook-place.ts';

const DIRECTIONS = ['ingress', 'egress'] as const;
/** The kernel takes milliseconds to take a program off: one that is missing meanwhile is missed by many packets. */
const TURNS = 20;
const [MAIN, SPARE, FOREIGN] = [0x7474, 0x7475, 5];

describe('programs on a hook', () => {
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

  /** Those of an agent; the next one's begin once these are closed. */
  function begin(program: string, mode: AttachMode, at = pins, programs = place.both(program)): Attachments {
    const attachments = place.run(() => new Attachments(programs, mode, at, place.both('stand_in')));
    opened.push(attachments);
    return attachments;
  }

  /** What an agent does at first, which then ends. */
  function live(program: string, mode: AttachMode, at = pins): void {
    const attachments = begin(program, mode, at);
    place.run(() => attachments.ensure(place.target));
    attachments.close();
  }

  function goInFront(directions: readonly AttachDirection[] = DIRECTIONS): BpfLink[] {
    const { BpfLink: Link } = loadNative();
    const links = place.run(() =>
      directions.map((direction) => Link.attachTcx(place.program('next'), place.target.ifindex, direction)),
    );
    opened.push(...links);
    return links;
  }

  describe('by TCX', () => {
    it('go in front of others, which stay behind', () => {
      const attachments = begin('ours', 'tcx');
      place.run(() => attachments.ensure(place.target));
      goInFront();
      const repairs = place.run(() => attachments.ensure(place.target));
      expect(repairs.map(({ cause }) => cause)).toEqual(['program-not-first', 'program-not-first']);
      for (const direction of DIRECTIONS) expect(place.programs(direction)).toEqual(['ours', 'next']);
      expect(readdirSync(pins.linkDirectory).sort()).toEqual(['one-egress', 'one-ingress']);
      expect(place.run(() => attachments.ensure(place.target))).toEqual([]);
      attachments.close();
      for (const direction of DIRECTIONS) expect(place.programs(direction)).toEqual(['ours', 'next']);
    });

    it('judge each packet once while they go there', async () => {
      const attachments = begin('ours', 'tcx', pins, { ...place.both('ours'), ingress: place.program('later') });
      place.run(() => attachments.ensure(place.target));
      const { sent, runs } = await place.countRuns(TURNS, () => {
        const foreign = goInFront(['egress']);
        place.run(() => attachments.ensure(place.target));
        for (const link of foreign) link.close();
      });
      expect(sent).toBeGreaterThan(TURNS);
      expect((runs.ours ?? 0) + (runs.stand_in ?? 0)).toBe(sent);
    });

    it('of the next agent go there too, past those of the one before', () => {
      live('ours', 'tcx');
      goInFront();
      live('later', 'tcx');
      for (const direction of DIRECTIONS) expect(place.programs(direction)).toEqual(['later', 'next']);
    });

    it.each([
      ['when the stand-in had taken its place', (link: BpfLink) => link.update(place.program('stand_in'))],
      [
        'when the new link was pinned',
        (link: BpfLink) => {
          link.update(place.program('stand_in'));
          const { BpfLink: Link } = loadNative();
          const successor = place.run(() => Link.attachTcx(place.program('ours'), place.target.ifindex, 'egress'));
          successor.pin(successorOf(pins.link('one', 'egress')));
          successor.close();
        },
      ],
    ] as const)('of an agent that was killed on the way, %s, are finished by the next', (_, work) => {
      live('ours', 'tcx');
      goInFront();
      const link = loadNative().BpfLink.openPinned(pins.link('one', 'egress'));
      work(link);
      link.close();
      const next = begin('later', 'tcx');
      // Of another layout: what judges is what is handed over.
      place.run(() => handOver(next, place.both('later')));
      expect(place.programs('egress')).not.toContain('ours');
      place.run(() => next.ensure(place.target));
      next.close();
      expect(place.programs('egress')).toEqual(['later', 'next']);
      expect(readdirSync(pins.linkDirectory).sort()).toEqual(['one-egress', 'one-ingress']);
    });

    it('are pinned for an interface with a dot in its name, and known by that name', () => {
      const dotted = new HookPlace('vlan.7');
      opened.push(dotted);
      const attachments = dotted.run(() => new Attachments(dotted.both('ours'), 'tcx', pins, dotted.both('stand_in')));
      dotted.run(() => attachments.ensure(dotted.target));
      expect(attachments.linkedInterfaces()).toEqual(['vlan.7']);
      attachments.close();
      expect(dotted.programs('ingress')).toEqual(['ours']);
    });
  });

  describe('by clsact', () => {
    it.each([
      ['only the spare filter', [SPARE], ['7474 later']],
      ['the spare filter in front, the main one behind another', [MAIN, FOREIGN, SPARE], ['7474 later', '5 next']],
      ['the spare filter behind another', [SPARE, FOREIGN], ['7474 later', '5 next']],
      ['both filters behind another', [MAIN, SPARE, FOREIGN], ['7474 later', '5 next']],
      ['the main filter in front of the spare one', [SPARE, MAIN], ['7474 later']],
    ] as const)('leave one filter where there was %s', (_, handles, expected) => {
      for (const direction of DIRECTIONS)
        for (const handle of handles) place.addFilter(handle === FOREIGN ? 'next' : 'ours', direction, handle);
      live('later', 'clsact');
      for (const direction of DIRECTIONS) expect(place.filters(direction)).toEqual(expected);
    });

    it('judge each packet once while they go to the front', async () => {
      const attachments = begin('ours', 'clsact', pins, { ...place.both('ours'), ingress: place.program('later') });
      place.run(() => attachments.ensure(place.target));
      const { clsactDetach } = loadNative();
      const { sent, runs } = await place.countRuns(TURNS, () => {
        place.addFilter('next', 'egress', FOREIGN);
        place.run(() => {
          attachments.ensure(place.target);
          clsactDetach(place.target.ifindex, 'egress', FOREIGN, 1);
        });
      });
      expect(sent).toBeGreaterThan(TURNS);
      expect(runs.ours).toBe(sent);
    });
  });

  describe.each([
    ['tcx', 'clsact'],
    ['clsact', 'tcx'],
  ] as const)('when the mode changes from %s to %s', (from, to) => {
    const found = (): string[][] =>
      DIRECTIONS.map((direction) => [...place.programs(direction), ...place.filters(direction)]);
    const [before, after] = [from, to].map((mode) => (mode === 'tcx' ? 'ours' : '7474 ours'));

    it('change over, and nothing is left of the other', () => {
      live('ours', from);
      expect(found()).toEqual([[before], [before]]);
      live('ours', to);
      expect(found()).toEqual([[after], [after]]);
      const [linked, filtered] = [pins.linkDirectory, pins.filterDirectory].map(
        (at) => existsSync(at) && readdirSync(at),
      );
      expect(linked).toHaveLength(to === 'tcx' ? 2 : 0);
      expect(filtered).toHaveLength(to === 'tcx' ? 0 : 1);
    });

    it('stay until another layout has taken over, and are handed over where they are', () => {
      live('ours', from);
      const attachments = begin('later', to);
      attachments.leavesOthers = true;
      expect(place.run(() => attachments.ensure(place.target))).toEqual([]);
      expect(found()).toEqual([[before], [before]]);
      place.run(() => handOver(attachments, place.both('later')));
      expect(found()).toEqual([[before?.replace('ours', 'later')], [before?.replace('ours', 'later')]]);
      attachments.leavesOthers = false;
      place.run(() => attachments.ensure(place.target));
      expect(found()).toEqual([[after?.replace('ours', 'later')], [after?.replace('ours', 'later')]]);
    });
  });

  it('stay until another layout has taken over also where only the spare filter is left', () => {
    place.addFilter('ours', 'egress', SPARE);
    const attachments = begin('later', 'clsact');
    attachments.leavesOthers = true;
    place.run(() => attachments.ensure(place.target));
    expect(place.filters('egress')).toEqual(['7475 ours']);
  });

  describe('of agents with other pins', () => {
    it('are not handed over, and not taken off', () => {
      const others = new Pins(bpffs.file('tortie-second'));
      others.create(bpffs.path);
      live('ours', 'clsact', others);
      const attachments = begin('later', 'clsact');
      place.run(() => handOver(attachments, place.both('later')));
      expect(place.filters('egress')).toEqual(['7474 ours']);
      place.run(() => cleanUp(pins.root));
      expect(place.filters('egress')).toEqual(['7474 ours']);
      expect(place.run(() => cleanUp(others.root))).toEqual({ interfaces: ['one'], isPinRootRemoved: true });
      expect(place.filters('egress')).toEqual([]);
    });

    it('are marked no longer than their interface is there', () => {
      const attachments = begin('ours', 'clsact');
      for (let ifindex = 1000; ifindex < 1060; ifindex += 1)
        mkdirSync(join(pins.filterDirectory, String(ifindex)), { recursive: true });
      const after = begin('ours', 'clsact');
      place.run(() => after.ensure(place.target));
      for (let ifindex = 2000; ifindex < 2100; ifindex += 1) place.run(() => after.marks.add(ifindex));
      expect(after.marks.interfaces.length).toBeLessThan(64);
      expect(after.marks.has(place.target.ifindex)).toBe(true);
      attachments.close();
    });
  });

  it('are taken off with whatever is pinned beside them', () => {
    live('ours', 'tcx');
    goInFront();
    mkdirSync(join(pins.linkDirectory, 'folder'));
    mkdirSync(join(pins.root, 'v2', 'links'), { recursive: true });
    mkdirSync(join(pins.root, 'v9', 'maps', 'unknown'), { recursive: true });
    place.program('next').pin(join(pins.linkDirectory, 'program-egress'));
    const { BpfLink: Link } = loadNative();
    const former = place.run(() => Link.attachTcx(place.program('later'), place.target.ifindex, 'ingress'));
    former.pin(join(pins.root, 'v2', 'links', 'one-ingress'));
    former.close();
    expect(place.run(() => cleanUp(pins.root))).toEqual({ interfaces: ['one'], isPinRootRemoved: true });
    for (const direction of DIRECTIONS) expect(place.programs(direction)).toEqual(['next']);
    expect(existsSync(pins.root)).toBe(false);
  });
});
