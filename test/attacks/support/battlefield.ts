// A lab for attacks on the wire: an attacker, its victim, a bystander and an outsider, the real agent, and connections that must not notice.
// What is sent is told by the tests.
import { expect } from 'vitest';
import { loadNative } from '../../../src/kernel/native.ts';
import type { Agent } from '../../../tools/lab/agent.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import type { Stream } from '../../../tools/lab/stream.ts';
import { DEFAULT_HOST_ADDRESSES, GUEST_INTERFACE, HOST_SIDE_MAC } from '../../../tools/lab/topology.ts';
import { policy } from '../../host/support/policies.ts';
import { Setting, WORKLOADS_FILE } from '../../host/support/setting.ts';
import { workload, workloadManifests } from '../../host/support/workloads.ts';
import { frame } from '../../support/packets/ethernet.ts';
import { ipv4, ipv6 } from '../../support/packets/ip.ts';
import { udp } from '../../support/packets/transport.ts';
import { type Listening, type RawFrame, RawTraffic } from './raw.ts';

export const OPEN_PORT = 7000;
export const CLOSED_PORT = 7001;
export const ATTACKER = workload('lab', 'red', 1);
export const VICTIM = workload('lab', 'green', 2);
export const BYSTANDER = workload('lab', 'blue', 3);
const WORKLOADS = [ATTACKER, VICTIM, BYSTANDER];
export const OUTSIDER = { name: 'outside', addresses: ['192.0.2.10', '2001:db8::10'] } as const;
/** The host's interface to the outsider. */
export const UPLINK = 'uplink';
/** What the outsider's frames come from, whatever its interface has. */
export const OUTSIDER_MAC = '02:00:00:00:00:aa';

const LISTENERS = [OPEN_PORT, CLOSED_PORT].flatMap((port) =>
  (['tcp', 'udp'] as const).map((transport) => ({ transport, port }) as const),
);
const MARK_PORT = 9;
const ANSWERS = 3;
const PATIENCE_MS = 5000;

/** A kind:WorkloadEndpoint, of which only the MAC is added here. */
interface EndpointManifest {
  readonly kind: string;
  readonly spec: { readonly pod: string };
}

/** From whom, and where on its way to the victim it is looked at: the victim's own interface unless told. */
export interface WayToVictim {
  readonly sender: string;
  readonly family: 4 | 6;
  readonly at?: Pick<Listening, 'guest' | 'device'>;
}

interface IpEnds {
  readonly source: string;
  readonly destination: string;
}

export type Counters = Readonly<Record<string, number>>;

export class Battlefield {
  readonly setting: Setting;
  readonly agent: Agent;
  readonly raw: RawTraffic;
  readonly #macs: ReadonlyMap<string, string>;
  #streams: readonly Stream[] = [];

  private constructor(setting: Setting, agent: Agent, raw: RawTraffic, macs: ReadonlyMap<string, string>) {
    this.setting = setting;
    this.agent = agent;
    this.raw = raw;
    this.#macs = macs;
  }

  /** Both directions of the attacker and the victim's ingress are closed but for OPEN_PORT; every MAC is checked. */
  static async create(): Promise<Battlefield> {
    const subnets = [
      { host: '192.0.2.1/24', outsider: '192.0.2.10/24' },
      { host: '2001:db8::1/64', outsider: '2001:db8::10/64' },
    ];
    const outsiders = [{ name: OUTSIDER.name, hostInterface: UPLINK, subnets }];
    const setting = await Setting.create({ workloads: WORKLOADS, outsiders, listeners: LISTENERS });
    const macs = new Map(WORKLOADS.map(({ pod }) => [pod, macOf(setting, pod)]));
    setting.manifests.write(WORKLOADS_FILE, withMacs(workloadManifests(WORKLOADS), macs));
    const toOpenPort = ['TCP', 'UDP'].map((protocol) => ({
      action: 'Allow' as const,
      protocol,
      destination: { ports: [OPEN_PORT], selector: "app in { 'green', 'blue' }" },
    }));
    const fromAll = toOpenPort.map((rule) => ({ ...rule, destination: { ports: [OPEN_PORT] } }));
    setting.manifests.write('50-policy.yaml', [
      policy({ name: 'red', namespace: 'lab', selector: "app == 'red'", egress: toOpenPort, ingress: [] }),
      policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: fromAll }),
    ]);
    const agent = await setting.startAgent();
    return new Battlefield(setting, agent, await RawTraffic.create(setting.lab), macs);
  }

  async close(): Promise<void> {
    this.raw.close();
    await this.agent.kill();
    await this.setting.close();
  }

  mac(pod: string): string {
    return this.#macs.get(pod) ?? '';
  }

  /** Connections of others, in both families, from inside and from outside. */
  async watch(): Promise<void> {
    const [v4 = '', v6 = ''] = VICTIM.addresses;
    const open = (from: string, address: string) => this.setting.peer(from).stream({ address, port: OPEN_PORT });
    this.#streams = [v4, v6].flatMap((address) => [open('blue', address), open(OUTSIDER.name, address)]);
    await this.expectUndisturbed();
  }

  async unwatch(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.stop()));
    this.#streams = [];
  }

  /** Every connection that watch() opened still gets its answers, and lost nothing. */
  async expectUndisturbed(): Promise<void> {
    const reports = await Promise.all(this.#streams.map((stream) => stream.progress(ANSWERS, PATIENCE_MS)));
    expect(reports.map(({ lost }) => lost)).toEqual(reports.map(() => 0));
  }

  /**
   * All that reaches the victim (or `at`, on the way there) while `during` runs, which has the attacker or the outsider send.
   */
  async captureForVictim(
    { sender, family, at = { guest: VICTIM.pod } }: WayToVictim,
    during: () => Promise<unknown>,
  ): Promise<RawFrame[]> {
    const isOutside = sender === OUTSIDER.name;
    const ends = ipEnds(isOutside ? OUTSIDER.addresses : ATTACKER.addresses, VICTIM.addresses, family);
    const macs = isOutside
      ? { sourceMac: OUTSIDER_MAC, destinationMac: await this.uplinkMac() }
      : { sourceMac: this.mac(sender), destinationMac: HOST_SIDE_MAC };
    const sendMark = (mark: Uint8Array) => this.raw.send(sender, [{ bytes: markFrame(ends, macs, mark) }]);
    return this.raw.capture({ ...at, sendMark }, during);
  }

  /** All that reaches the attacker while `during` runs, of which the host sends what counts. */
  captureForAttacker(family: 4 | 6, during: () => Promise<unknown>): Promise<RawFrame[]> {
    const ends = ipEnds(DEFAULT_HOST_ADDRESSES, ATTACKER.addresses, family);
    const macs = { sourceMac: HOST_SIDE_MAC, destinationMac: this.mac(ATTACKER.pod) };
    const sendMark = (mark: Uint8Array) =>
      this.raw.send(HOST, [{ bytes: markFrame(ends, macs, mark) }], ATTACKER.hostInterface);
    return this.raw.capture({ guest: ATTACKER.pod, sendMark }, during);
  }

  /** Of the host's interface to the outsider. */
  async uplinkMac(): Promise<string> {
    const { stdout } = await this.setting.lab.exec(HOST, ['ip', '-o', 'link', 'show', UPLINK]);
    return /link\/ether (\S+)/.exec(stdout)?.[1] ?? '';
  }

  /** Packets by reason; those that are zero are left out. */
  async counters(): Promise<Counters> {
    const { counters = {} } = (await this.agent.status()) ?? {};
    return Object.fromEntries(Object.entries(counters).map(([reason, { packets }]) => [reason, packets]));
  }

  /** Drops by reason while `call` runs. */
  async dropsDuring(call: () => Promise<unknown>): Promise<Counters> {
    const before = await this.counters();
    await call();
    const after = await this.counters();
    const grown = Object.entries(after).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const);
    return Object.fromEntries(grown.filter(([reason, count]) => reason.startsWith('drop') && count > 0));
  }

  /** Sends the frames from a guest: all are dropped for this reason, none for another, and nobody else notices. */
  async expectDropped(guest: string, frames: readonly RawFrame[], reason: string): Promise<void> {
    const drops = await this.dropsDuring(async () => {
      expect(await this.raw.send(guest, frames)).toEqual(frames.map(() => 'ok'));
    });
    expect(drops).toEqual({ [reason]: frames.length });
    await this.expectUndisturbed();
  }

  /** A counter of a namespace's own stack, as /proc/net/snmp6 names it. */
  async stackCounter(guest: string, name: string): Promise<number> {
    const { stdout } = await this.setting.lab.exec(guest, ['cat', '/proc/net/snmp6']);
    return Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
  }
}

function ipEnds(source: readonly string[], destination: readonly string[], family: 4 | 6): IpEnds {
  const index = family === 4 ? 0 : 1;
  return { source: source[index] ?? '', destination: destination[index] ?? '' };
}

/** A datagram that policy allows, and that no sender of a test has a flow for. */
function markFrame(
  ends: IpEnds,
  macs: { readonly sourceMac: string; readonly destinationMac: string },
  mark: Uint8Array,
): Uint8Array {
  const segment = udp({ sourcePort: MARK_PORT, destinationPort: OPEN_PORT, payload: mark });
  return frame(ends.source.includes(':') ? ipv6({ ...ends, segment }) : ipv4({ ...ends, segment }), macs);
}

function macOf(setting: Setting, pod: string): string {
  const { inNamespace, linkList } = loadNative();
  const links = inNamespace(`/run/netns/${setting.lab.namespace(pod)}`, () => linkList());
  return links.find(({ name }) => name === GUEST_INTERFACE)?.mac ?? '';
}

function withMacs(manifests: readonly object[], macs: ReadonlyMap<string, string>): object[] {
  return manifests.map((manifest) => {
    const { kind, spec } = manifest as EndpointManifest;
    return kind === 'WorkloadEndpoint' ? { ...manifest, spec: { ...spec, mac: macs.get(spec.pod) } } : manifest;
  });
}
