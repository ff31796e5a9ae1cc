// Programs on interfaces, by TCX links and by clsact filters, in a namespace of the test's own.
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BpffsMount, Namespace, objectPath } from './fixture.ts';

describe('a program on an interface', () => {
  let bpffs: BpffsMount;
  let namespace: Namespace;

  beforeEach(() => {
    bpffs = new BpffsMount();
    namespace = new Namespace('attach');
    namespace.ip('link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'two');
  });
  afterEach(() => {
    namespace.close();
    bpffs.close();
  });

  it('is attached, pinned, reopened, replaced and detached by a TCX link', () => {
    const seen = namespace.run(
      (native, path: string, pin: string) => {
        const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
        const object = native.BpfObject.open(path, {});
        const link = native.BpfLink.attachTcx(object.program('drop'), ifindex, 'egress');
        const attached = native.tcxQuery(ifindex, 'egress');
        link.pin(pin);
        link.close();
        const again = native.BpfLink.openPinned(pin);
        const before = again.info;
        again.update(object.program('pass'));
        const replaced = native.tcxQuery(ifindex, 'egress');
        const other = native.tcxQuery(ifindex, 'ingress');
        again.detach();
        const after = again.info;
        const none = native.tcxQuery(ifindex, 'egress');
        const ids = [object.program('drop').info.id, object.program('pass').info.id];
        return { ifindex, ids, attached, before, replaced, other, after, none };
      },
      objectPath,
      bpffs.file('link'),
    );
    expect(seen.attached).toEqual([seen.ids[0]]);
    expect(seen.before).toMatchObject({ programId: seen.ids[0], ifindex: seen.ifindex });
    expect(seen.replaced).toEqual([seen.ids[1]]);
    expect(seen.other).toEqual([]);
    expect(seen.after.ifindex).toBe(0);
    expect(seen.none).toEqual([]);
  });

  it('goes in front of the programs that are there', () => {
    const seen = namespace.run(
      (native, path: string, first: string, second: string) => {
        const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
        const object = native.BpfObject.open(path, {});
        native.BpfLink.attachTcx(object.program('drop'), ifindex, 'ingress').pin(first);
        native.BpfLink.attachTcx(object.program('pass'), ifindex, 'ingress').pin(second);
        return {
          order: native.tcxQuery(ifindex, 'ingress'),
          ids: ['pass', 'drop'].map((name) => object.program(name).info.id),
        };
      },
      objectPath,
      bpffs.file('first'),
      bpffs.file('second'),
    );
    expect(seen.order).toEqual(seen.ids);
  });

  it('stays attached by its pin when the process ends, and leaves with the interface', () => {
    const pin = bpffs.file('link');
    const id = namespace.run(
      (native, path: string, at: string) => {
        const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
        const object = native.BpfObject.open(path, {});
        native.BpfLink.attachTcx(object.program('pass'), ifindex, 'ingress').pin(at);
        return object.program('pass').info.id;
      },
      objectPath,
      pin,
    );
    const query = (): number[] =>
      namespace.run((native) => {
        const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
        return native.tcxQuery(ifindex, 'ingress');
      });
    expect(query()).toEqual([id]);
    namespace.ip('link', 'delete', 'one');
    expect(namespace.run((native, at: string) => native.BpfLink.openPinned(at).info.ifindex, pin)).toBe(0);
  });

  it('is attached, replaced, found and detached as a clsact filter', () => {
    const seen = namespace.run((native, path: string) => {
      const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
      const object = native.BpfObject.open(path, {});
      const query = (): number => native.clsactQuery(ifindex, 'ingress', 0x7474, 1);
      const withoutQdisc = query();
      native.clsactAttach(object.program('drop'), ifindex, 'ingress', 0x7474, 1);
      const first = query();
      native.clsactAttach(object.program('pass'), ifindex, 'ingress', 0x7474, 1);
      const second = query();
      const elsewhere = native.clsactQuery(ifindex, 'egress', 0x7474, 1);
      native.clsactDetach(ifindex, 'ingress', 0x7474, 1);
      const ids = [object.program('drop').info.id, object.program('pass').info.id];
      return { withoutQdisc, first, second, elsewhere, after: query(), ids };
    }, objectPath);
    expect([seen.first, seen.second]).toEqual(seen.ids);
    expect([seen.withoutQdisc, seen.elsewhere, seen.after]).toEqual([0, 0, 0]);
  });

  it('is listed among clsact filters in the order in which packets meet them', () => {
    const seen = namespace.run((native, path: string) => {
      const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
      const object = native.BpfObject.open(path, {});
      const [pass, drop] = [object.program('pass'), object.program('drop')];
      const withoutQdisc = native.clsactFilters(ifindex, 'egress');
      native.clsactAttach(drop, ifindex, 'egress', 7, 2);
      native.clsactAttach(drop, ifindex, 'egress', 5, 1);
      native.clsactAttach(pass, ifindex, 'egress', 6, 1);
      const three = native.clsactFilters(ifindex, 'egress');
      native.clsactAttach(pass, ifindex, 'egress', 5, 1);
      const replaced = native.clsactFilters(ifindex, 'egress').map(({ handle }) => handle);
      const elsewhere = native.clsactFilters(ifindex, 'ingress');
      const nowhere = native.clsactFilters(2 ** 30, 'ingress');
      return { withoutQdisc, three, replaced, elsewhere, nowhere, ids: [pass.info.id, drop.info.id] };
    }, objectPath);
    const [pass, drop] = seen.ids;
    const bpf = { protocol: 3, kind: 'bpf' };
    expect(seen.three).toEqual([
      { ...bpf, priority: 1, handle: 6, programId: pass, name: expect.stringMatching(/^pass/) },
      { ...bpf, priority: 1, handle: 5, programId: drop, name: expect.stringMatching(/^drop/) },
      { ...bpf, priority: 2, handle: 7, programId: drop, name: expect.stringMatching(/^drop/) },
    ]);
    expect(seen.replaced).toEqual([6, 5, 7]);
    expect([seen.withoutQdisc, seen.elsewhere, seen.nowhere]).toEqual([[], [], []]);
  });

  it('stops traffic where it says so', () => {
    const inside = new Namespace('peer');
    try {
      namespace.ip('link', 'set', 'two', 'netns', inside.name);
      namespace.ip('addr', 'add', '192.0.2.1/24', 'dev', 'one');
      namespace.ip('link', 'set', 'one', 'up');
      inside.ip('addr', 'add', '192.0.2.2/24', 'dev', 'two');
      inside.ip('link', 'set', 'two', 'up');
      const ping = (): boolean => {
        try {
          execFileSync('nsenter', [`--net=/run/netns/${inside.name}`, 'ping', '-c1', '-W1', '192.0.2.1'], {
            stdio: 'ignore',
          });
          return true;
        } catch {
          return false;
        }
      };
      expect(ping()).toBe(true);
      namespace.run(
        (native, path: string, pin: string) => {
          const { ifindex } = native.linkList().find(({ name }) => name === 'one') as { ifindex: number };
          native.BpfLink.attachTcx(native.BpfObject.open(path, {}).program('drop'), ifindex, 'ingress').pin(pin);
        },
        objectPath,
        bpffs.file('link'),
      );
      expect(ping()).toBe(false);
    } finally {
      inside.close();
    }
  });

  it('is refused on an interface that does not exist', () => {
    const codes = namespace.run((native, path: string) => {
      const program = native.BpfObject.open(path, {}).program('pass');
      const codeOf = (call: () => void): string => {
        try {
          call();
        } catch (error) {
          return (error as { code: string }).code;
        }
        return '';
      };
      return [
        codeOf(() => native.BpfLink.attachTcx(program, 9999, 'ingress')),
        codeOf(() => native.clsactAttach(program, 9999, 'ingress', 1, 1)),
      ];
    }, objectPath);
    expect(codes).toEqual(['ENODEV', 'ENODEV']);
  });
});
