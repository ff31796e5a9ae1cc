// Interfaces as the addon lists and watches them, in namespaces of the test's own.
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtFile, type Native } from '../../../src/kernel/native.ts';
import { Namespace } from './fixture.ts';

describe('network interfaces', () => {
  let namespace: Namespace;
  let peer: Namespace;

  beforeEach(() => {
    namespace = new Namespace('links');
    peer = new Namespace('links-peer');
  });
  afterEach(() => {
    namespace.close();
    peer.close();
  });

  it('are listed with kind, address, size and state', () => {
    namespace.ip(
      'link',
      'add',
      'one',
      'address',
      '02:00:00:00:00:01',
      'mtu',
      '1400',
      'type',
      'veth',
      'peer',
      'name',
      'two',
      'address',
      '02:00:00:00:00:02',
    );
    namespace.ip('link', 'set', 'one', 'up');
    namespace.ip('link', 'add', 'bridge', 'type', 'bridge');
    const links = namespace.run((native) => native.linkList());
    expect(links.find(({ name }) => name === 'one')).toEqual({
      ifindex: expect.any(Number),
      name: 'one',
      mac: '02:00:00:00:00:01',
      mtu: 1400,
      up: true,
      kind: 'veth',
      peerMac: '',
      master: 0,
      lower: 0,
    });
    expect(links.find(({ name }) => name === 'two')).toMatchObject({ mac: '02:00:00:00:00:02', up: false });
    expect(links.find(({ name }) => name === 'bridge')).toMatchObject({ kind: 'bridge' });
    expect(links.find(({ name }) => name === 'lo')).toMatchObject({ ifindex: 1, kind: '', mtu: 65536 });
  });

  it('know the address of their other end in another namespace', () => {
    namespace.ip(
      'link',
      'add',
      'one',
      'type',
      'veth',
      'peer',
      'name',
      'two',
      'address',
      '02:00:00:00:00:02',
      'netns',
      peer.name,
    );
    const find = (): string | undefined =>
      namespace.run((native) => native.linkList()).find(({ name }) => name === 'one')?.peerMac;
    expect(find()).toBe('02:00:00:00:00:02');
    peer.ip('link', 'set', 'two', 'address', '02:00:00:00:00:03');
    expect(find()).toBe('02:00:00:00:00:03');
  });

  it('are all listed when there are a thousand', () => {
    const commands = Array.from(
      { length: 500 },
      (_, index) => `link add v${index} type veth peer name p${index} netns ${peer.name}`,
    );
    execFileSync('ip', ['-n', namespace.name, '-batch', '-'], { input: commands.join('\n') });
    const { links, milliseconds } = namespace.run((native) => {
      const start = performance.now();
      const list = native.linkList();
      return { links: list, milliseconds: performance.now() - start };
    });
    const veths = links.filter(({ kind }) => kind === 'veth');
    expect(veths.length).toBe(500);
    expect(veths.every(({ peerMac }) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(peerMac))).toBe(true);
    expect(milliseconds).toBeLessThan(3000);
  });

  it('are told of when they appear, change and vanish, ports of bridges once', () => {
    const changes = namespace.run(async (native) => {
      const { execFileSync: execute } = process.getBuiltinModule('node:child_process');
      const heard: { name: string; removed: boolean; overrun: boolean }[] = [];
      const monitor = native.LinkMonitor.open(({ name, removed, overrun }) => heard.push({ name, removed, overrun }));
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
      execute('ip', ['link', 'add', 'bridge', 'type', 'bridge']);
      execute('ip', ['link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two']);
      execute('ip', ['link', 'set', 'one', 'master', 'bridge']);
      await pause();
      const mark = heard.length;
      execute('ip', ['link', 'set', 'one', 'nomaster']);
      await pause();
      const unbridged = heard.slice(mark);
      execute('ip', ['link', 'delete', 'one']);
      await pause();
      monitor.close();
      monitor.close();
      execute('ip', ['link', 'delete', 'bridge']);
      return { heard, unbridged };
    });
    const names = (removed: boolean): string[] =>
      changes.heard.filter((change) => change.removed === removed).map(({ name }) => name);
    expect(names(false)).toEqual(expect.arrayContaining(['bridge', 'one', 'two']));
    expect(changes.unbridged.filter(({ removed }) => removed)).toEqual([]);
    expect(names(true).toSorted()).toEqual(['one', 'two']);
    expect(changes.heard.some(({ overrun }) => overrun)).toBe(false);
  });

  it('have addresses of both families, of a point-to-point link the own one, and are told of when one comes or goes', () => {
    const { heard, one, list } = namespace.run(async (native: Native) => {
      const { execFileSync: execute } = process.getBuiltinModule('node:child_process');
      const ip = (words: string): unknown => execute('ip', words.split(' '));
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));
      ip('link add one type veth peer name two');
      const link = native.linkList().find(({ name }) => name === 'one')?.ifindex ?? 0;
      const changes: { ifindex: number; removed: boolean; filters: boolean }[] = [];
      const monitor = native.LinkMonitor.open(({ ifindex, removed, filters, addresses }) => {
        if (addresses) changes.push({ ifindex, removed, filters });
      });
      ip('address add 192.0.2.1 peer 192.0.2.2 dev one');
      ip('address add 2001:db8::1/64 dev one nodad');
      await pause();
      const count = changes.length;
      const addresses = native.addressList().filter(({ ifindex }) => ifindex === link);
      ip('address delete 2001:db8::1/64 dev one');
      await pause();
      monitor.close();
      return {
        heard: [count, changes.length > count, changes.every((change) => change.ifindex === link && !change.removed)],
        one: changes[0],
        list: addresses.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
      };
    });
    expect(heard).toEqual([2, true, true]);
    expect(one).toMatchObject({ removed: false, filters: false });
    expect(list).toEqual(['c0000201', '20010db8000000000000000000000001']);
  });

  it('are told of when filters on them come, change and go, or go with their queueing discipline, and of no other', () => {
    const { steps, ifindex } = namespace.run(async (native: Native, path: string) => {
      const { execFileSync: execute } = process.getBuiltinModule('node:child_process');
      const tc = (words: string) => (): unknown => execute('tc', words.split(' '));
      execute('ip', ['link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two']);
      const link = native.linkList().find(({ name }) => name === 'one')?.ifindex ?? 0;
      const changes: number[] = [];
      const monitor = native.LinkMonitor.open((change) => {
        if (change.filters) changes.push(change.ifindex);
      });
      const object = native.BpfObject.open(path, {});
      const attach = (): void => native.clsactAttach(object.program('pass'), link, 'ingress', 1, 1);
      const heard: number[][] = [];
      for (const step of [
        tc('qdisc add dev one clsact'),
        attach,
        attach,
        () => native.clsactDetach(link, 'ingress', 1, 1),
        attach,
        tc('qdisc delete dev one clsact'),
        tc('qdisc add dev two root pfifo'),
        tc('qdisc delete dev two root'),
      ]) {
        changes.length = 0;
        step();
        await new Promise((resolve) => setTimeout(resolve, 200));
        heard.push([...new Set(changes)]);
      }
      monitor.close();
      object.close();
      return { steps: heard, ifindex: link };
    }, builtFile('build/bpf/test/native.bpf.o'));
    expect(steps).toEqual([[], [ifindex], [ifindex], [ifindex], [ifindex], [ifindex], [], []]);
  });
});
