// What other tools do to programs, pins, tables and interfaces while traffic runs is undone, and said; and what needs no
// program to be off an interface lets nothing through that policy denies, and cuts nothing that it allows.
import { existsSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeSourceKey, SourceKey } from '../../src/abi/endpoint.gen.ts';
import { State } from '../../src/abi/heap.gen.ts';
import type { Finding } from '../../src/agent/doctor/finding.ts';
import type { AgentStatus } from '../../src/agent/status.ts';
import { builtFile, loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import type { RepairCause } from '../../src/kernel/repair.ts';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import type { Stream } from '../../tools/lab/stream.ts';
import { allowPorts, policy } from './support/policies.ts';
import { Setting, WORKLOADS_FILE } from './support/setting.ts';
import { expectUndisturbed } from './support/undisturbed.ts';
import { workload, workloadManifests } from './support/workloads.ts';

const red = workload('lab', 'red', 1);
const green = workload('lab', 'green', 2);
const WORKLOADS = [red, green];
const ALLOWED = 7000;
const FORBIDDEN = 7001;
const LISTENERS = [ALLOWED, FORBIDDEN].flatMap((port) =>
  (['tcp', 'udp'] as const).map((transport) => ({ transport, port }) as const),
);
const [GREEN_V4 = ''] = green.addresses;
const GREEN_LINK = green.hostInterface;
/** Where a packet from red to green is judged: without both it is not. */
const PATH = [
  [red.hostInterface, 'ingress'],
  [GREEN_LINK, 'egress'],
] as const;
/** Of what the kernel tells of. */
const EVENT_LIMIT_MS = 1000;
/** Of what only an audit finds. */
const AUDIT_LIMIT_MS = 10_000;
/** Where audits are waited for; elsewhere they are so far apart that what is done at once is not taken for their work. */
const OFTEN = { auditSeconds: 1 };
const TRIES = 3;

describe('repair under traffic', { timeout: 40_000 }, () => {
  let setting: Setting;
  let agent: Agent;
  let streams: readonly Stream[];

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    setting.manifests.write(WORKLOADS_FILE, workloadManifests(WORKLOADS));
    setting.manifests.write('50-policy.yaml', [
      policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts([ALLOWED]) }),
    ]);
  });

  afterEach(async () => {
    await Promise.all(streams.map((stream) => stream.stop().catch(() => undefined)));
    await setting.disarm(agent);
  });

  afterAll(async () => {
    await setting?.close();
  });

  async function start(attach: 'tcx' | 'clsact', audits: Partial<typeof OFTEN> = {}): Promise<void> {
    agent = await setting.startAgent({ attach, ...audits });
    const peer = setting.peer('red');
    streams = green.addresses.map((address) => peer.stream({ address, port: ALLOWED, intervalMs: 10 }));
    await Promise.all(streams.map((stream) => stream.progress(10, 3000)));
  }

  function ask(port: number, timeoutMs: number): ReturnType<Setting['probe']> {
    return setting.probe('red', { transport: 'udp', address: GREEN_V4, port, timeoutMs });
  }

  /** Of the status, which is asked for as often as a test may be impatient. */
  async function untilRepaired(cause: RepairCause, count: number, limitMs: number): Promise<AgentStatus> {
    return agent.waitFor((status) => (status.repairsByCause[cause] ?? 0) >= count && status.inSync, limitMs);
  }

  async function expectPolicy(): Promise<void> {
    expect(await ask(ALLOWED, 2000)).toBe('open');
    expect(await ask(FORBIDDEN, 200)).toBe('timeout');
  }

  /** The forbidden port is asked for all the while. Returns how often it was open. */
  async function whileAsking(work: () => Promise<void>): Promise<number> {
    let isOver = false;
    let opened = 0;
    const asking = (async () => {
      while (!isOver) if ((await ask(FORBIDDEN, 30)) === 'open') opened += 1;
    })();
    await work().finally(() => {
      isOver = true;
    });
    await asking;
    return opened;
  }

  function ip(...words: readonly string[]): Promise<unknown> {
    return setting.lab.exec(HOST, ['ip', ...words]);
  }

  /** The kernel forgets routes with the interface that they lead through. */
  async function route(): Promise<void> {
    for (const address of green.addresses) await ip('route', 'replace', address, 'dev', GREEN_LINK);
    if (!JSON.stringify(await ip('-6', 'address', 'show', 'dev', GREEN_LINK)).includes('fe80::ecee:eeff:feee:eeee/64'))
      await ip('address', 'add', 'fe80::ecee:eeff:feee:eeee/64', 'dev', GREEN_LINK, 'nodad');
  }

  /** Runs with the addon in the lab's host namespace; `pass` is a program that lets everything pass. */
  async function runNative(script: string): Promise<string> {
    const source = `
      const native = process.getBuiltinModule('module').createRequire('/')(${JSON.stringify(builtFile('build/Release/tortie.node'))});
      const pass = native.BpfObject.open(${JSON.stringify(builtFile('build/bpf/test/native.bpf.o'))}, {}).program('pass');
      const { ifindex } = native.linkList().find(({ name }) => name === ${JSON.stringify(GREEN_LINK)});
      ${script}`;
    return (await setting.lab.exec(HOST, [process.execPath, '--input-type=module', '--eval', source])).stdout;
  }

  /** Handles of the filters on green's interface, in the order in which packets meet them. */
  async function handlesAt(direction: 'ingress' | 'egress'): Promise<number[]> {
    const filters = `native.clsactFilters(ifindex, '${direction}')`;
    return JSON.parse(
      await runNative(`console.log(JSON.stringify(${filters}.map(({ handle }) => handle)));`),
    ) as number[];
  }

  async function findingOf(id: string): Promise<Finding | undefined> {
    const words = ['doctor', '--pin-root', pinRoot(setting.lab), '--socket', join(setting.lab.directory, 'agent.sock')];
    const command = tortieCommand(...words, '--output', 'json').join(' ');
    // It fails where it finds a failure.
    const { stdout } = await setting.lab.exec(HOST, ['sh', '-c', `${command} || true`]);
    return (JSON.parse(stdout) as Finding[]).find((one) => one.id === id);
  }

  function pins(): Pins {
    return new Pins(pinRoot(setting.lab));
  }

  function memoryOf(map: string): Uint32Array {
    return new Uint32Array(loadNative().BpfMap.openPinned(pins().map(map)).mmap());
  }

  function logLines(text: string): string[] {
    return agent.log.filter((line) => line.includes(text));
  }

  describe('by TCX', () => {
    beforeEach(() => start('tcx'));

    it('pins a link again at once, and its program was never off', async () => {
      const opened = await whileAsking(async () => {
        for (let count = 1; count <= TRIES; count += 1) {
          const pin = pins().link(GREEN_LINK, 'egress');
          unlinkSync(pin);
          await vi.waitUntil(() => existsSync(pin), { timeout: EVENT_LIMIT_MS * PATIENCE, interval: 5 });
          const { repairs } = await untilRepaired('pin-missing', count, EVENT_LIMIT_MS);
          expect(repairs).toBe(count);
        }
      });
      expect(opened).toBe(0);
      expect(logLines('pin-missing')).toHaveLength(TRIES);
      await expectUndisturbed(streams);
    });

    it('pins maps again, and what is pinned in their place is not taken for them', async () => {
      const pin = pins().map('tt_heap');
      unlinkSync(pin);
      await untilRepaired('pin-missing', 1, EVENT_LIMIT_MS);
      const { id } = loadNative().BpfMap.openPinned(pin).info;
      // Put there at once: what is missing for a moment the agent has pinned again before anybody else.
      loadNative().BpfMap.openPinned(pins().map('tt_state')).pin(`${pin}-other`);
      renameSync(`${pin}-other`, pin);
      await agent.waitFor(({ repairs }) => repairs >= 2, AUDIT_LIMIT_MS);
      expect(loadNative().BpfMap.openPinned(pin).info.id).toBe(id);
      await expectPolicy();
      await expectUndisturbed(streams);
    });
  });

  describe('by TCX, what an audit finds', () => {
    beforeEach(() => start('tcx', OFTEN));

    it('attaches again what was detached', async () => {
      for (const pin of PATH.map(([name, direction]) => pins().link(name, direction))) {
        const link = loadNative().BpfLink.openPinned(pin);
        link.detach();
        link.close();
      }
      expect(await ask(FORBIDDEN, 1000)).toBe('open');
      await untilRepaired('program-missing', 2, AUDIT_LIMIT_MS);
      await expectPolicy();
      expect(logLines('program-missing')).toHaveLength(2);
      await expectUndisturbed(streams);
    });

    it('puts its program back where another one replaced it', async () => {
      const ours = JSON.stringify(PATH.map(([name, direction]) => pins().link(name, direction)));
      await runNative(`for (const pin of ${ours}) native.BpfLink.openPinned(pin).update(pass);`);
      expect(await ask(FORBIDDEN, 1000)).toBe('open');
      await untilRepaired('program-replaced', 2, AUDIT_LIMIT_MS);
      await expectPolicy();
      await expectUndisturbed(streams);
    });

    it.each([
      ['tt_heap', (words: Uint32Array) => words.fill(0)],
      ['tt_endpoints', (words: Uint32Array) => words.fill(0)],
      ['tt_state', (words: Uint32Array) => words.fill(1, State.OFFSET.flags / 4, State.OFFSET.flags / 4 + 1)],
    ] as const)('writes %s as it was, and nothing was let through meanwhile', async (map, edit) => {
      const memory = memoryOf(map);
      const before = memory.slice();
      const opened = await whileAsking(async () => {
        edit(memory);
        const { repairsByCause } = await untilRepaired('table-edited', 1, AUDIT_LIMIT_MS);
        expect(Object.keys(repairsByCause)).toEqual(['table-edited']);
      });
      expect(opened).toBe(0);
      if (map === 'tt_endpoints') expect(memory).toEqual(before);
      await expectPolicy();
      expect(logLines(map)).toHaveLength(1);
    });

    it('writes back rows that were removed, changed or added', async () => {
      const { BpfMap } = loadNative();
      const [addresses, sources] = ['tt_addresses', 'tt_sources'].map((name) => BpfMap.openPinned(pins().map(name)));
      const rows = (map = addresses) => Buffer.from(map?.entries().keys ?? []).toString('hex');
      const before = rows().length;
      const key = addresses?.keys().slice(0, addresses.info.keySize) as Uint8Array;
      addresses?.delete(key);
      const source = new Uint8Array(SourceKey.SIZE);
      const everybody = { prefix_length: 32 + 96, endpoint_id: 1, address: { word: [0, 0, 0xffff, 0] } };
      encodeSourceKey(new DataView(source.buffer), 0, everybody);
      sources?.update(source, Uint8Array.of(1, 0, 0, 0), 0);
      await untilRepaired('table-edited', 2, AUDIT_LIMIT_MS);
      expect(rows()).toHaveLength(before);
      expect(addresses?.lookup(key)).toBeDefined();
      expect(Buffer.from(sources?.keys() ?? []).includes(Buffer.from(source))).toBe(false);
      await expectPolicy();
      await expectUndisturbed(streams);
    });
  });

  describe('by clsact', () => {
    beforeEach(() => start('clsact'));

    it('attaches again at once when the queueing discipline is deleted', async () => {
      for (let count = 1; count <= TRIES; count += 1) {
        await setting.lab.exec(HOST, ['tc', 'qdisc', 'delete', 'dev', GREEN_LINK, 'clsact']);
        await untilRepaired('program-missing', 2 * count, EVENT_LIMIT_MS);
        await expectPolicy();
      }
      await expectUndisturbed(streams);
    });

    it('attaches again at once when its filter is deleted, or replaced by another', async () => {
      for (let count = 1; count <= TRIES; count += 1) {
        await setting.lab.exec(HOST, ['tc', 'filter', 'delete', 'dev', GREEN_LINK, 'egress', 'pref', '1']);
        await untilRepaired('program-missing', count, EVENT_LIMIT_MS);
        await runNative(`native.clsactAttach(pass, ifindex, 'egress', 0x7474, 1);`);
        await untilRepaired('program-replaced', count, EVENT_LIMIT_MS);
        await expectPolicy();
      }
      await expectUndisturbed(streams);
    });
  });

  describe('by clsact, with filters of others', () => {
    const OUR_HANDLE = 0x7474;
    const FOREIGN = '5, 1';

    beforeEach(() => start('clsact'));

    it('goes in front of a filter that came there, which stays behind it', async () => {
      for (let count = 1; count <= TRIES; count += 1) {
        await runNative(`native.clsactAttach(pass, ifindex, 'egress', ${FOREIGN});`);
        await untilRepaired('program-not-first', count, EVENT_LIMIT_MS);
        await expectPolicy();
        expect(await handlesAt('egress')).toEqual([OUR_HANDLE, 5]);
        expect(await findingOf('other-programs')).toMatchObject({
          level: 'warn',
          found: expect.stringMatching(new RegExp(`${GREEN_LINK} egress .*bpf filter pass:`)),
        });
        expect(logLines('program-not-first').at(-1)).toMatch(
          /bpf filter pass:\[\d+\], program \d+, priority 1, handle 0x5/,
        );
        await runNative(`native.clsactDetach(ifindex, 'egress', ${FOREIGN});`);
      }
      await expectUndisturbed(streams);
    });

    it('finishes what an agent that was killed on its way to the front has begun', async () => {
      agent.signal('SIGSTOP');
      const attach = (handle: string): string => `native.clsactAttach(pass, ifindex, 'egress', ${handle}, 1);`;
      await runNative(`${attach('5')} ${attach('0x7475')} native.clsactDetach(ifindex, 'egress', ${OUR_HANDLE}, 1);`);
      agent.signal('SIGCONT');
      await untilRepaired('program-missing', 1, EVENT_LIMIT_MS);
      expect(await handlesAt('egress')).toEqual([OUR_HANDLE, 5]);
      await expectPolicy();
      await runNative(`native.clsactDetach(ifindex, 'egress', ${FOREIGN});`);
      await expectUndisturbed(streams);
    });
  });

  describe('by clsact, what an audit finds', () => {
    beforeEach(() => start('clsact', OFTEN));

    it('names the filter that keeps it from its place, and takes that once it is free', async () => {
      agent.signal('SIGSTOP');
      const filter = (verb: string, ...rest: readonly string[]) =>
        setting.lab.exec(HOST, ['tc', 'filter', verb, 'dev', GREEN_LINK, 'egress', 'pref', '1', ...rest]);
      await filter('delete');
      await filter('add', 'protocol', 'ip', 'handle', '7', 'bpf', 'bytecode', '1,6 0 0 0');
      agent.signal('SIGCONT');
      const { conditions } = await agent.waitFor((status) => status.conditions.length > 0, AUDIT_LIMIT_MS);
      const found = /bpf filter, priority 1, handle 0x7/;
      expect(conditions).toMatchObject([{ reason: 'InterfaceNotGuarded', message: expect.stringMatching(found) }]);
      const finding = await findingOf('agent');
      expect(finding?.level).not.toBe('ok');
      expect(finding?.found).toMatch(found);
      await filter('delete');
      await agent.waitFor((status) => status.conditions.length === 0 && status.inSync, 2 * AUDIT_LIMIT_MS);
      await expectPolicy();
    });
  });

  describe.each(['tcx', 'clsact'] as const)('of interfaces, by %s', (attach) => {
    beforeEach(() => start(attach));

    it('keeps programs where an interface goes down and up', async () => {
      await ip('link', 'set', GREEN_LINK, 'down');
      await ip('link', 'set', GREEN_LINK, 'up');
      await route();
      await Promise.all(streams.map((stream) => stream.progress(3, AUDIT_LIMIT_MS)));
      await expectPolicy();
      expect((await agent.status())?.repairs).toBe(0);
    });

    it('guards an interface under another name, and says where it is', async () => {
      await ip('link', 'set', GREEN_LINK, 'down');
      const opened = await whileAsking(async () => {
        await ip('link', 'set', GREEN_LINK, 'name', 'elsewhere');
        await ip('link', 'set', 'elsewhere', 'up');
        for (const address of green.addresses) await ip('route', 'replace', address, 'dev', 'elsewhere');
        const status = await untilRepaired('interface-renamed', 1, EVENT_LIMIT_MS);
        expect(status.endpoints.find(({ endpoint }) => endpoint === 'lab/green')?.state).toBe('waiting');
        await agent.waitFor(({ endpoints }) => JSON.stringify(endpoints).includes('elsewhere'), EVENT_LIMIT_MS);
        // An audit must not give it up: one has looked at interfaces when it comes to tables.
        memoryOf('tt_endpoints').fill(0);
        await untilRepaired('table-edited', 1, AUDIT_LIMIT_MS);
      });
      expect(opened).toBe(0);
      // ARP is dropped too, so that after some seconds the host says that there is nobody.
      expect(['timeout', 'unreachable']).toContain(await ask(ALLOWED, 200));
      await ip('link', 'set', 'elsewhere', 'down');
      await ip('link', 'set', 'elsewhere', 'name', GREEN_LINK);
      await ip('link', 'set', GREEN_LINK, 'up');
      await route();
      await agent.waitFor(({ endpoints }) => endpoints.every(({ state }) => state === 'ready'), EVENT_LIMIT_MS);
      await expectPolicy();
    });

    it('guards an interface again that went to another namespace and came back', async () => {
      const elsewhere = setting.lab.namespace('red');
      for (let count = 1; count <= TRIES; count += 1) {
        await ip('link', 'set', GREEN_LINK, 'netns', elsewhere);
        await agent.waitFor(({ endpoints }) => endpoints.some(({ state }) => state === 'waiting'), EVENT_LIMIT_MS);
        await ip('-n', elsewhere, 'link', 'set', GREEN_LINK, 'netns', setting.lab.namespace(HOST));
        await untilRepaired('interface-anew', count, EVENT_LIMIT_MS);
        await ip('link', 'set', GREEN_LINK, 'up');
        await route();
        await agent.waitFor(({ endpoints }) => endpoints.every(({ state }) => state === 'ready'), EVENT_LIMIT_MS);
        await expectPolicy();
      }
      expect((await agent.status())?.repairs).toBe(0);
    });

    it('guards an interface that was made anew', async () => {
      await setting.lab.removeInterface('green');
      await agent.waitFor(({ endpoints }) => endpoints.some(({ state }) => state === 'waiting'), EVENT_LIMIT_MS);
      await setting.lab.addInterface('green');
      await untilRepaired('interface-anew', 1, EVENT_LIMIT_MS);
      await setting.lab.connect('green');
      await agent.waitFor(({ endpoints }) => endpoints.every(({ state }) => state === 'ready'), EVENT_LIMIT_MS);
      await vi.waitUntil(async () => (await ask(ALLOWED, 200)) === 'open', { timeout: 5000 });
      await expectPolicy();
    });
  });
});
