// Where the traffic tests play: the machines, on whichever carrier there is, made into two hosts and an outsider. No expectation here.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Peer } from '../../../tools/lab/peer.ts';
import { type Builds, makeBuilds } from '../../../tools/traffic/builds.ts';
import { type Carrier, Machine } from '../../../tools/traffic/machine.ts';
import { isVagrantLeader, SshCarrier } from '../../../tools/traffic/ssh-machines.ts';
import { LINK_V4, TrafficHost } from '../../../tools/traffic/traffic-host.ts';
import { type GuestSpec, VmCarrier } from '../../../tools/traffic/vm-machines.ts';
import { CLOSED_PORT, HOSTS, type HostLayout, manifests, OPEN_PORT, OUTSIDER } from './network.ts';

/** An older kernel, which has clsact, on one end and a newer one, which has TCX, on the other. */
const KERNELS = (process.env.TORTIE_TRAFFIC_KERNELS ?? '6.1,6.12').split(',');
const FILE = '10-traffic.yaml';

/** One processor each: with two, packets overtake each other whenever one of them waits for the machine. */
function guests(): GuestSpec[] {
  const [first = '6.1', second = first] = KERNELS;
  return [
    { name: 'host1', kernel: first, memoryMb: 2048, cpus: 1, number: 11 },
    { name: 'host2', kernel: second, memoryMb: 2048, cpus: 1, number: 12 },
    { name: 'outsider', kernel: first, memoryMb: 768, cpus: 1, number: 13 },
  ];
}

export class Setting {
  readonly hosts: readonly [TrafficHost, TrafficHost];
  readonly outsider: Machine;
  /** By name of workload; the outsider's too. */
  readonly peers = new Map<string, Peer>();
  /** A folder of this machine with the manifests that the hosts have. */
  readonly manifests: string;
  readonly builds: Builds;
  readonly carrier: Carrier;
  #outsiderLink = '';

  private constructor(carrier: Carrier, machines: readonly Machine[], builds: Builds) {
    const host = (index: 0 | 1) => new TrafficHost({ ...planHost(index), machine: machines[index] as Machine });
    this.carrier = carrier;
    this.builds = builds;
    this.hosts = [host(0), host(1)];
    this.outsider = machines[2] as Machine;
    this.manifests = mkdtempSync(join(tmpdir(), 'tortie-traffic-'));
    writeFileSync(join(this.manifests, FILE), fileText());
  }

  /** Machines up, agents in force, then workloads. On failure nothing stays. */
  static async create(): Promise<Setting> {
    const tell = (what: string) => console.error(`traffic: ${what}`);
    // Before the machines are up: they may not see what changes later.
    const builds = await makeBuilds();
    const carrier = isVagrantLeader() ? new SshCarrier() : await VmCarrier.create(guests(), tell);
    try {
      const names = [...HOSTS.map(({ name }) => name), OUTSIDER.name];
      const machines = await Promise.all(names.map((name) => Machine.open(name, carrier)));
      const setting = new Setting(carrier, machines, builds);
      await Promise.all([...setting.hosts.map((host) => setting.bringUp(host)), setting.#bringUpOutsider()]);
      return setting;
    } catch (error) {
      await carrier.close();
      throw error;
    }
  }

  /** What a host does after it has started, in the order in which it should: link, agent, and only then workloads. */
  async bringUp(host: TrafficHost): Promise<void> {
    await host.clear(this.builds.current);
    await host.prepareLink();
    await host.writeManifests(new Map([[FILE, fileText()]]));
    host.launchAgent(this.builds.current);
    await host.makeNamespaces(listenEverywhere);
    await host.waitForAgent((status) => status.inSync);
    await host.plugWorkloads();
    await waitForWorkloads(host);
    for (const [name, peer] of host.peers) this.peers.set(name, peer);
  }

  /** Of the link, at both hosts; nobody remembers an earlier one. */
  async setMtu(mtu: number): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.setMtu(mtu)));
  }

  /** Nobody knows the MTU of a path any more. */
  async forgetPaths(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.forgetPaths()));
  }

  /** Every workload of both hosts is in force. */
  async waitForWorkloads(): Promise<void> {
    await Promise.all(this.hosts.map(waitForWorkloads));
  }

  /** The outsider sends to either host's workloads by way of this one. */
  async routeOutsiderThrough(index: 0 | 1): Promise<void> {
    await this.#routeOutsider(() => HOSTS[index].linkAddresses);
  }

  async routeOutsiderStraight(): Promise<void> {
    await this.#routeOutsider((layout) => layout.linkAddresses);
  }

  /** Throws an ordinary Error: it is the test that misspells the name. */
  peer(name: string): Peer {
    const peer = this.peers.get(name);
    if (peer === undefined) throw new Error(`no peer ${name}`);
    return peer;
  }

  async close(): Promise<void> {
    if (this.carrier.isLasting) await Promise.all(this.hosts.map((host) => host.clear(this.builds.current)));
    await this.carrier.close();
    rmSync(this.manifests, { recursive: true, force: true });
  }

  async #bringUpOutsider(): Promise<void> {
    const { stdout } = await this.outsider.exec(['ip', '-o', '-4', 'address', 'show', 'to', LINK_V4]);
    this.#outsiderLink = stdout.split(/\s+/)[1] ?? '';
    const address = `${OUTSIDER.addresses[1]}/64`;
    await this.outsider.exec(['ip', 'address', 'replace', address, 'dev', this.#outsiderLink, 'nodad']);
    await this.routeOutsiderStraight();
    const place = { spawn: (_: string, argv: readonly string[]) => this.outsider.spawn(argv) };
    const peer = await Peer.start(place, OUTSIDER.name);
    await listenEverywhere(peer);
    this.peers.set(OUTSIDER.name, peer);
  }

  async #routeOutsider(via: (layout: HostLayout) => readonly string[]): Promise<void> {
    const routes = HOSTS.flatMap((layout) =>
      layout.subnets.map(
        (prefix, family) => `route replace ${prefix} via ${via(layout)[family]} dev ${this.#outsiderLink}\n`,
      ),
    );
    await this.outsider.exec(['ip', '-batch', '-'], routes.join(''));
  }
}

async function waitForWorkloads(host: TrafficHost): Promise<void> {
  await host.waitForAgent(
    ({ inSync, endpoints }) => inSync && endpoints.length === 2 && endpoints.every(({ state }) => state === 'ready'),
  );
}

function fileText(): string {
  return manifests()
    .map((one) => `---\n${stringify(one)}`)
    .join('');
}

async function listenEverywhere(peer: Peer): Promise<void> {
  for (const transport of ['tcp', 'udp', 'sctp'] as const) await peer.listen(transport, [OPEN_PORT, CLOSED_PORT]);
}

function planHost(index: 0 | 1) {
  const { name, workloads, addresses, linkAddresses, subnets } = HOSTS[index];
  const other = HOSTS[1 - index] as (typeof HOSTS)[number];
  const routes = new Map(other.subnets.map((prefix, family) => [prefix, other.linkAddresses[family] ?? '']));
  return { node: name, workloads, addresses, linkAddresses, subnets, routes };
}
