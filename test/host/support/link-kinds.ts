// Interfaces of every kind that a host has, between the host and an outsider of a lab. What is expected of them is said by the test.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../src/bench/command.ts';
import { ensureProgram } from '../../../tools/lab/build-program.ts';
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';

/** Its name on both ends. */
export const LINK = 'hk0';
/** Below it on the host, where there is something. */
const PORT = 'hkport';
export const HERE = { v4: '172.20.9.1', v6: 'fd00:9::1' } as const;
export const THERE = { v4: '172.20.9.2', v6: 'fd00:9::2' } as const;

type Family = 'v4' | 'v6';
type Lines = readonly string[];

/** The networks that a kind is laid over: addresses of both ends, and their interfaces. */
export interface Underlay {
  readonly outsider: string;
  readonly hostInterface: string;
  readonly outsiderInterface: string;
  readonly host: Readonly<Record<Family, string>>;
  readonly outside: Readonly<Record<Family, string>>;
}

interface Ends {
  readonly lab: Lab;
  readonly under: Underlay;
}

export interface LinkKind {
  readonly kind: string;
  readonly families: readonly Family[];
  /** Lines of `ip -batch` for either end. */
  readonly lines?: (ends: Ends) => { readonly host: Lines; readonly outsider?: Lines };
  /** What `ip` does not do; called when the lines are done. Returns what takes it away, if deleting the interface does not. */
  readonly extra?: (ends: Ends) => Promise<(() => Promise<void>) | undefined>;
}

const BOTH = ['v4', 'v6'] as const;
const WIREGUARD_PORT = 51_820;

const veth =
  (name: string, more: Lines = []) =>
  ({ lab, under }: Ends) => ({
    host: [`link add ${name} type veth peer name ${LINK} netns ${lab.namespace(under.outsider)}`, ...more],
  });

/** The same thing on either end, over the underlay of a family. */
const tunnel =
  (family: Family, type: string, more = '') =>
  ({ under: { host, outside } }: Ends) => {
    const line = (local: string, remote: string): Lines => [
      `link add ${LINK} type ${type} local ${local} remote ${remote} ${more}`,
    ];
    return { host: line(host[family], outside[family]), outsider: line(outside[family], host[family]) };
  };

const ALL_KINDS: readonly LinkKind[] = [
  { kind: 'veth', families: BOTH, lines: veth(LINK) },
  {
    kind: 'bridge',
    families: BOTH,
    lines: veth(PORT, [`link add ${LINK} type bridge`, `link set ${PORT} master ${LINK}`, `link set ${PORT} up`]),
  },
  {
    kind: 'bond',
    families: BOTH,
    lines: veth(PORT, [
      `link add ${LINK} type bond mode active-backup miimon 50`,
      `link set ${PORT} master ${LINK}`,
      `link set ${PORT} up`,
    ]),
  },
  { kind: 'vlan', families: BOTH, lines: vlan },
  { kind: 'vxlan', families: BOTH, lines: tunnel('v4', 'vxlan id 5', 'dstport 4789') },
  { kind: 'geneve', families: BOTH, lines: geneve },
  { kind: 'gre', families: BOTH, lines: tunnel('v4', 'gre') },
  { kind: 'ipip', families: ['v4'], lines: tunnel('v4', 'ipip') },
  { kind: 'sit', families: ['v6'], lines: tunnel('v4', 'sit') },
  { kind: 'ip6tnl', families: BOTH, lines: tunnel('v6', 'ip6tnl', 'mode any') },
  { kind: 'wireguard', families: BOTH, lines: wireguardLines, extra: wireguardPeers },
  { kind: 'tun', families: BOTH, extra: tunWire },
];

/** A kernel without modules has what was built into it; one of a distribution has all of them. */
const MAY_LACK = !existsSync(`/lib/modules/${release()}`);
/** How such an interface is asked for in a namespace where nothing else is: of those kinds that a kernel may lack. */
const PROBES: Readonly<Record<string, string>> = {
  bond: 'type bond',
  vlan: 'link lo type vlan id 5',
  geneve: 'type geneve id 5 remote 192.0.2.1',
  gre: 'type gre local 192.0.2.1 remote 192.0.2.2',
  ipip: 'type ipip local 192.0.2.1 remote 192.0.2.2',
  sit: 'type sit local 192.0.2.1 remote 192.0.2.2',
  ip6tnl: 'type ip6tnl local 2001:db8::1 remote 2001:db8::2 mode any',
  wireguard: 'type wireguard',
};

function isThere({ kind }: LinkKind): boolean {
  const probe = PROBES[kind];
  if (!MAY_LACK || probe === undefined) return true;
  return spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'probe', ...probe.split(' ')]).status === 0;
}

/** The kinds that this kernel knows. */
export const LINK_KINDS: readonly LinkKind[] = ALL_KINDS.filter(isThere);

function vlan({ under }: Ends): { readonly host: Lines; readonly outsider: Lines } {
  const line = (below: string): Lines => [`link add link ${below} name ${LINK} type vlan id 5`];
  return { host: line(under.hostInterface), outsider: line(under.outsiderInterface) };
}

function geneve({ under: { host, outside } }: Ends): { readonly host: Lines; readonly outsider: Lines } {
  const line = (remote: string): Lines => [`link add ${LINK} type geneve id 5 remote ${remote}`];
  return { host: line(outside.v4), outsider: line(host.v4) };
}

function wireguardLines(): { readonly host: Lines; readonly outsider: Lines } {
  const line = [`link add ${LINK} type wireguard`];
  return { host: line, outsider: line };
}

/** A key pair as wg has them. */
function wireguardKeys(): { readonly secret: string; readonly public: string } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const base64 = (text: string | undefined): string => Buffer.from(text ?? '', 'base64url').toString('base64');
  return {
    secret: base64(privateKey.export({ format: 'jwk' }).d),
    public: base64(publicKey.export({ format: 'jwk' }).x),
  };
}

async function wireguardPeers({ lab, under }: Ends): Promise<undefined> {
  const [host, outsider] = [wireguardKeys(), wireguardKeys()];
  for (const [name, own, other, address] of [
    [HOST, host, outsider, under.outside.v4],
    [under.outsider, outsider, host, under.host.v4],
  ] as const) {
    const file = join(lab.directory, `wireguard-${name}`);
    writeFileSync(file, own.secret, { mode: 0o600 });
    const peer = ['peer', other.public, 'allowed-ips', '0.0.0.0/0,::/0', 'endpoint', `${address}:${WIREGUARD_PORT}`];
    await lab.exec(name, ['wg', 'set', LINK, 'listen-port', String(WIREGUARD_PORT), 'private-key', file, ...peer]);
  }
}

async function tunWire({ lab, under }: Ends): Promise<() => Promise<void>> {
  // A module that nothing but the device's node asks for, which comes with it.
  if (!existsSync('/dev/net/tun')) await runCommand(['modprobe', 'tun']);
  const program = await ensureProgram('tun-wire');
  const words = [lab.namespace(HOST), LINK, lab.namespace(under.outsider), LINK];
  const wire = lab.spawn(HOST, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(wire, 'close');
  const first = wire.stdout === null ? undefined : await Promise.race([once(wire.stdout, 'data'), closed]);
  if (wire.exitCode !== null) throw new Error(`tun-wire ended: ${String(first)}`);
  return async () => {
    wire.kill();
    await closed;
  };
}

/**
 * Makes the interface, with addresses on both ends, and a way of the outsider's to others through it. Returns what takes it away. Throws
 * what `ip` says: nothing is left of it then.
 */
export async function plug(
  kind: LinkKind,
  ends: Ends,
  beyond: Readonly<Record<Family, string>>,
): Promise<() => Promise<void>> {
  let end: (() => Promise<void>) | undefined;
  const unplug = async (): Promise<void> => {
    await end?.();
    for (const [name, link] of [
      [HOST, LINK],
      [HOST, PORT],
      [ends.under.outsider, LINK],
    ] as const) {
      await batch(ends.lab, name, [`link del ${link}`]).catch(() => undefined);
    }
  };
  try {
    const made = kind.lines?.(ends);
    await batch(ends.lab, HOST, made?.host ?? []);
    await batch(ends.lab, ends.under.outsider, made?.outsider ?? []);
    end = await kind.extra?.(ends);
    await address(kind, ends, beyond);
    return unplug;
  } catch (error) {
    await unplug();
    throw error;
  }
}

async function address(
  { families }: LinkKind,
  { lab, under }: Ends,
  beyond: Readonly<Record<Family, string>>,
): Promise<void> {
  const up = (own: Readonly<Record<Family, string>>): Lines => [
    ...families.map((family) => `address add ${own[family]}/${family === 'v4' ? 24 : '64 nodad'} dev ${LINK}`),
    `link set ${LINK} up`,
  ];
  await batch(lab, HOST, up(HERE));
  const routes = families.map((family) => `route add ${beyond[family]} via ${HERE[family]} dev ${LINK}`);
  await batch(lab, under.outsider, [...up(THERE), ...routes]);
}

async function batch(lab: Lab, name: string, lines: Lines): Promise<void> {
  if (lines.length === 0) return;
  await lab.exec(name, ['ip', '-batch', '-'], lines.map((line) => `${line}\n`).join(''));
}
