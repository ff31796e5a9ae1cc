import {
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EndpointBinder, ManualInterfaces } from '../../../src/agent/endpoint-binder.ts';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { worldFrom } from '../../support/world-from.ts';

// As it is, but what it was asked is known.
vi.mock('node:fs', { spy: true });

const endpoint = (name: string) => `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {namespace: shop, name: node-k8s-${name}-eth0}
spec: {node: node, orchestrator: k8s, pod: ${name}, endpoint: eth0, interfaceName: cali-${name}, ipNetworks: [10.0.0.1/32]}
`;
const link = (name: string, ifindex: number) => ({
  ifindex,
  name,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  up: true,
  kind: 'veth',
  peerMac: '',
  master: 0,
  lower: 0,
});
const linksOf = (...names: string[]) => new Map(names.map((name, index) => [name, link(name, 7 + index)]));

describe('EndpointBinder', () => {
  const desired = desiredStateOf(worldFrom(endpoint('web')), '*');

  it('gives the very same result while nothing changes', () => {
    const binder = new EndpointBinder();
    const links = linksOf('cali-web');
    const first = binder.bind(desired, links, new Map());
    expect(first.bindings.map(({ ifindex }) => ifindex)).toEqual([7]);
    expect(binder.bind(desired, links, new Map())).toBe(first);
  });

  it.each([
    ['interfaces', desired, linksOf('other', 'cali-web'), new Map<string, string>(), [8]],
    ['what was given by hand', desired, linksOf('cali-web', 'by-hand'), new Map([['shop/web', 'by-hand']]), [8]],
    ['endpoints', desiredStateOf(worldFrom(endpoint('db')), '*'), linksOf('cali-web'), new Map<string, string>(), []],
  ] as const)('follows a change of %s', (_, state, links, manual, ifindexes) => {
    const binder = new EndpointBinder();
    binder.bind(desired, linksOf('cali-web'), new Map());
    expect(binder.bind(state, links, manual).bindings.map(({ ifindex }) => ifindex)).toEqual(ifindexes);
  });
});

describe('interfaces given by hand', () => {
  const ROOT = { who: { kind: 'local', uid: 0, gid: 0, pid: 7 }, from: { socket: '/run/a.sock' } } as const;
  let folder: string;
  let path: string;
  let said: { message: string; fields?: Readonly<Record<string, unknown>> | undefined }[];

  const open = () =>
    new ManualInterfaces(path, {
      info: (message, fields) => void said.push({ message, fields }),
      error: (message, fields) => void said.push({ message, fields }),
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-interfaces-'));
    path = join(folder, 'interfaces.json');
    said = [];
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are known to the next agent, for their owner only', () => {
    open().set('shop/web', 'cali1', ROOT);
    expect([...open().entries()]).toEqual([['shop/web', 'cali1']]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(open().delete('shop/web', ROOT)).toBe(true);
    expect(open().delete('shop/web', ROOT)).toBe(false);
    expect(open().entries().size).toBe(0);
  });

  it('are in the log with whoever gave or took them', () => {
    const interfaces = open();
    interfaces.set('shop/web', 'cali1', ROOT);
    interfaces.set('shop/web', 'cali2', ROOT);
    interfaces.delete('shop/web', ROOT);
    expect(said.map(({ fields }) => fields)).toEqual([
      { endpoint: 'shop/web', interface: 'cali1', before: undefined, ...ROOT },
      { endpoint: 'shop/web', interface: 'cali2', before: 'cali1', ...ROOT },
      { endpoint: 'shop/web', before: 'cali2', ...ROOT },
    ]);
  });

  it('are as they were when the disk does not take a change', () => {
    const interfaces = open();
    interfaces.set('shop/web', 'cali1', ROOT);
    // As a full disk does, it fails before anything is renamed.
    mkdirSync(`${path}.new`);
    expect(() => interfaces.set('shop/web', 'cali2', ROOT)).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    expect(() => interfaces.delete('shop/web', ROOT)).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    expect([...interfaces.entries()]).toEqual([['shop/web', 'cali1']]);
    expect([...open().entries()]).toEqual([['shop/web', 'cali1']]);
    expect(said).toHaveLength(1);
  });

  it('are on disk before the file has its name, and the name before anybody is told', () => {
    vi.clearAllMocks();
    open().set('shop/web', 'cali1', ROOT);
    const [renamed = 0] = vi.mocked(renameSync).mock.invocationCallOrder;
    const [file = 0, directory = 0] = vi.mocked(fsyncSync).mock.invocationCallOrder;
    expect(file).toBeGreaterThan(0);
    expect(renamed).toBeGreaterThan(file);
    expect(directory).toBeGreaterThan(renamed);
  });

  it.each([
    ['empty', ''],
    ['cut short', '{"shop/web": "ca'],
    ['of another form', '{"shop/web": {"interface": "cali1"}}'],
  ])('whose file is %s are an error until one is given anew, and the file is kept', (_, text) => {
    writeFileSync(path, text);
    const interfaces = open();
    expect(interfaces.error).toMatchObject({ code: 'STORE_FAILED', target: path });
    expect(said.map(({ message }) => message)).toEqual(['interfaces given by hand are not known']);
    interfaces.set('shop/db', 'cali2', ROOT);
    expect(interfaces.error).toBeUndefined();
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe(text);
    expect([...open().entries()]).toEqual([['shop/db', 'cali2']]);
  });

  it('are none without a file, which is no error', () => {
    expect(open().error).toBeUndefined();
    expect([said, existsSync(path)]).toEqual([[], false]);
  });
});
