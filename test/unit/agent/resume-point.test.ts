import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOfFiles, digestOfText } from '../../../src/agent/accepted-manifests.ts';
import { type AgentOptions, completeOptions } from '../../../src/agent/options.ts';
import { ResumePoint, type Resumption } from '../../../src/agent/resume-point.ts';
import { Logger } from '../../../src/base/log.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import type { EndpointBinding, Wiring } from '../../../src/kernel/wiring.ts';
import { parseAddress } from '../../../src/model/address.ts';
import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';

const log = new Logger({ level: 'error', write: () => undefined });
const POLICY = 'what the kernel has';
const TEXTS = { 'a.yaml': 'text of a\n', 'sub/b.yaml': 'text of b\n' };

let folder: string;
let options: AgentOptions;
let resumed: Resumption | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-resume-'));
  options = completeOptions({ manifests: join(folder, 'manifests'), stateDirectory: join(folder, 'state') });
  for (const name of ['manifests', 'manifests/sub', 'state']) mkdirSync(join(folder, name));
  for (const [path, text] of Object.entries(TEXTS)) write(path, text);
  settle();
});

afterEach(() => {
  resumed?.close();
  resumed = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  writeFileSync(join(options.manifests, path), text);
}

const endpoint: WorkloadEndpoint = {
  type: 'workloadEndpoint',
  key: 'default/node-k8s-web-eth0',
  namespace: 'default',
  name: 'node-k8s-web-eth0',
  displayName: 'default/web',
  node: 'node',
  interfaceName: 'cali1',
  addresses: [parseAddress('10.0.0.1'), parseAddress('2001:db8::1')].filter((address) => address !== undefined),
  labels: { app: 'web' },
  profiles: ['kns.default'],
  ports: [],
  allowedSourcePrefixes: [],
  location: { file: 'a.yaml', line: 1 },
};

function bind({ endpoints }: DesiredState, ifindex = 7): EndpointBinding[] {
  return [...endpoints].map(
    ([
      key,
      {
        endpoint: { addresses, allowedSourcePrefixes },
      },
    ]) => {
      const macs = { hostMac: '02:00:00:00:00:01', mac: '02:00:00:00:00:02', peerDelivery: true, checkMac: true };
      return { key, ifindex, ...macs, mtu: 1500, addresses, allowedSourcePrefixes };
    },
  );
}

const ETH0: Wiring['interfaces'][number] = { ifindex: 2, name: 'eth0', kind: 'host', addresses: [] };

function wire(desired: DesiredState, ifindex?: number, interfaces: Wiring['interfaces'] = []): Wiring {
  return { bindings: bind(desired, ifindex), interfaces };
}

/** What an agent leaves that has these texts in force. */
function settle(texts: Record<string, string> = TEXTS, interfaces: Wiring['interfaces'] = []): void {
  const list = { tiers: [], profiles: [] };
  const resolved = {
    endpoint,
    ingress: { direction: 'ingress', ...list },
    egress: { direction: 'egress', ...list },
  } as const;
  const desired: DesiredState = {
    endpoints: new Map([[endpoint.key, resolved]]),
    hostEndpoints: new Map(),
    hostSettings: new Map(),
    prefixes: new Map(),
  };
  const manifests = digestOfFiles(new Map(Object.entries(texts).map(([path, text]) => [path, digestOfText(text)])));
  const point = new ResumePoint(options, log);
  const state = {
    manifests,
    objects: 2,
    policy: POLICY,
    endpoints: desired.endpoints,
    wiring: wire(desired, 7, interfaces),
  };
  point.writeSoon(() => state);
  point.close();
}

/** What an agent finds that starts now. */
function start(changed: Partial<AgentOptions> = {}, policy: string | undefined = POLICY, ifindex = 7): boolean {
  const point = new ResumePoint({ ...options, ...changed }, log);
  resumed = point.read(policy, (desired) => wire(desired, ifindex));
  return resumed !== undefined;
}

describe('ResumePoint', () => {
  it('is found again when nothing has changed, with the endpoints as they were', () => {
    expect(start()).toBe(true);
    expect(resumed?.objects).toBe(2);
    expect([...(resumed?.desired.endpoints.values() ?? [])].map((one) => one.endpoint)).toEqual([endpoint]);
    expect(resumed?.holds).toBe(true);
  });

  it('goes by what files say, not by when they were written', () => {
    write('fresh', TEXTS['a.yaml']);
    renameSync(join(options.manifests, 'fresh'), join(options.manifests, 'a.yaml'));
    expect(start()).toBe(true);
  });

  it.each<{ what: string; act: () => void }>([
    { what: 'a file says something else, in as many bytes', act: () => write('a.yaml', 'text of A\n') },
    { what: 'a file is gone', act: () => unlinkSync(join(options.manifests, 'sub/b.yaml')) },
    { what: 'there is a file more', act: () => write('c.yaml', '') },
    {
      what: 'a file has another name',
      act: () => renameSync(join(options.manifests, 'a.yaml'), join(options.manifests, 'b.yaml')),
    },
    {
      what: 'a file is a link, whose target may change unseen',
      act: () => {
        renameSync(join(options.manifests, 'a.yaml'), join(folder, 'elsewhere.yaml'));
        symlinkSync(join(folder, 'elsewhere.yaml'), join(options.manifests, 'a.yaml'));
      },
    },
    { what: 'nothing was left', act: () => new ResumePoint(options, log).clear() },
    { what: 'what was left is torn', act: () => writeFileSync(join(folder, 'state/settled.json'), '{"made": "') },
    { what: 'what was in force was made of other texts', act: () => settle({ ...TEXTS, 'a.yaml': 'before\n' }) },
  ])('is of no use when $what', ({ act }) => {
    act();
    expect(start()).toBe(false);
  });

  it.each<{ what: string; given: Parameters<typeof start> }>([
    { what: 'another policy is in the kernel', given: [{}, 'something else'] },
    { what: 'an endpoint is behind another interface', given: [{}, POLICY, 8] },
    { what: 'the agent is of another node', given: [{ node: 'other' }] },
    {
      what: 'other limits are set',
      given: [
        {
          limits: {
            ...completeOptions({}).limits,
            tables: { ...completeOptions({}).limits.tables, rules: 1 } as never,
          },
        },
      ],
    },
  ])('is of no use when $what', ({ given }) => {
    expect(start(...given)).toBe(false);
  });

  it('is of no use when no policy is in the kernel', () => {
    expect(new ResumePoint(options, log).read(undefined, (desired) => wire(desired))).toBeUndefined();
  });

  it('is not written when it is not the moment', () => {
    const point = new ResumePoint(options, log);
    point.clear();
    point.writeSoon(() => undefined);
    point.close();
    expect(existsSync(join(folder, 'state/settled.json'))).toBe(false);
    expect(point.isThere).toBe(false);
  });

  it('is written by itself when all stays quiet', async () => {
    const before = readFileSync(join(folder, 'state/settled.json'), 'utf8');
    const point = new ResumePoint(options, log);
    point.clear();
    const { endpoints } = { endpoints: new Map() };
    point.writeSoon(() => ({
      manifests: 'm',
      objects: 0,
      policy: POLICY,
      endpoints,
      wiring: { bindings: [], interfaces: [] },
    }));
    await vi.waitFor(() => expect(point.isThere).toBe(true), 15_000);
    expect(readFileSync(join(folder, 'state/settled.json'), 'utf8')).not.toBe(before);
  }, 20_000);
});

describe('ResumePoint of a host with policy of its own', () => {
  /** An agent that starts when the host has these interfaces, and lists them only if it must. */
  function startAmong(interfaces: Wiring['interfaces']): boolean {
    const point = new ResumePoint(options, log);
    resumed = point.read(POLICY, (desired, isHostPoliced) => wire(desired, 7, isHostPoliced ? interfaces : []));
    return resumed !== undefined;
  }

  it('is found again for the same interfaces, and no longer holds once one of them changes', () => {
    settle(TEXTS, [ETH0]);
    expect(startAmong([ETH0])).toBe(true);
    expect(resumed?.isHostPoliced).toBe(true);
    const desired = resumed?.desired as DesiredState;
    resumed?.noteWiring(wire(desired, 7, [ETH0]));
    expect(resumed?.holds).toBe(true);
    resumed?.noteWiring(wire(desired, 7, [{ ...ETH0, name: 'lan0' }]));
    expect(resumed?.holds).toBe(false);
  });

  it.each([
    { what: 'number', other: { ...ETH0, ifindex: 3 } },
    { what: 'name', other: { ...ETH0, name: 'lan0' } },
    { what: 'address', other: { ...ETH0, addresses: endpoint.addresses } },
  ])('is of no use when an interface has another $what', ({ other }) => {
    settle(TEXTS, [ETH0]);
    expect(startAmong([other])).toBe(false);
  });

  it('does not ask for interfaces where no policy is about them', () => {
    settle();
    expect(startAmong([ETH0])).toBe(true);
    expect(resumed?.isHostPoliced).toBe(false);
  });
});

describe('Resumption', () => {
  it('no longer holds once a manifest is touched', async () => {
    expect(start()).toBe(true);
    write('a.yaml', 'changed\n');
    await vi.waitFor(() => expect(resumed?.holds).toBe(false));
  });

  it('no longer holds once an endpoint is to be bound in another way, even if it moves back', () => {
    expect(start()).toBe(true);
    const desired = resumed?.desired as DesiredState;
    resumed?.noteWiring(wire(desired));
    expect(resumed?.holds).toBe(true);
    resumed?.noteWiring(wire(desired, 8));
    resumed?.noteWiring(wire(desired));
    expect(resumed?.holds).toBe(false);
  });
});
