// One host of a traffic test: its workloads behind veth pairs, its routes, its agent, its peers. Everything can be made again after a
// reboot. The network is laid out by the lab's topology, only in another machine; what policy it enforces is not known here.

import type { AgentStatus } from '../../src/agent/status.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import { Peer, type PeerPlace } from '../lab/peer.ts';
import {
  GATEWAY_V4,
  GUEST_INTERFACE,
  GUEST_SYSCTLS,
  HOST_SYSCTLS,
  planTopology,
  planWorkload,
  type Sysctls,
  type WorkloadSpec,
} from '../lab/topology.ts';
import type { Machine } from './machine.ts';
import type { Place } from './programs.ts';
import type { RemoteProcess } from './remote-process.ts';

/** All machines are on one link: these subnets. */
export const LINK_V4 = '192.168.77.0/24';

export interface HostPlan {
  readonly machine: Machine;
  /** Also the node's name for its agent. */
  readonly node: string;
  readonly workloads: readonly WorkloadSpec[];
  /** On the host's loopback. */
  readonly addresses: readonly string[];
  /** Bare, on the common link: IPv4, IPv6. */
  readonly linkAddresses: readonly [string, string];
  /** Where the workloads of others are: prefix -> address on the common link. */
  readonly routes: ReadonlyMap<string, string>;
  /** Of this host's own workloads: what has no workload goes nowhere. */
  readonly subnets: readonly string[];
}

const FOLDER = '/run/tt-traffic';
const PIN_ROOT = '/sys/fs/bpf/tortie-traffic';
const MANIFESTS = `${FOLDER}/manifests`;
const SOCKET = `${FOLDER}/agent.sock`;
/** A guest without KVM, on a machine with other things to do, starts an agent in half a minute, one that is starved in minutes. */
const AGENT_LIMIT_MS = 300_000;
/** Each question takes from a slow guest what its agent needs to start. */
const POLL_MS = 250;
const LINES_KEPT = 40;
const USUAL_MTU = 1500;

export class TrafficHost implements PeerPlace {
  readonly plan: HostPlan;
  readonly machine: Machine;
  readonly peers = new Map<string, Peer>();
  uplink = '';
  #agent: RemoteProcess | undefined;
  #log = '';

  constructor(plan: HostPlan) {
    this.plan = plan;
    this.machine = plan.machine;
  }

  /** The host without workloads: forwarding, addresses, routes. May be called again, e.g. after its link was down. */
  async prepareLink(): Promise<void> {
    const { stdout } = await this.machine.exec(['ip', '-o', '-4', 'address', 'show', 'to', LINK_V4]);
    this.uplink = stdout.split(/\s+/)[1] ?? '';
    if (this.uplink === '') throw this.#error('find', LINK_V4, 'no interface has an address of it');
    await this.#setSysctls(HOST_SYSCTLS);
    await this.#setSysctls({ '0': [`ipv4/conf/${this.uplink}/rp_filter`, `ipv6/conf/${this.uplink}/accept_dad`] });
    await this.restoreLink();
  }

  /** What the kernel forgets when a link goes down, set again. */
  async restoreLink(): Promise<void> {
    await this.#configure(this.#linkLines());
  }

  /** Namespaces for its workloads, with nothing in them but a peer each that listens already. Throws KERNEL. */
  async makeNamespaces(listen: (peer: Peer) => Promise<void>): Promise<void> {
    await this.#configure(this.plan.workloads.map(({ name }) => `netns add ${name}`));
    for (const { name } of this.plan.workloads) {
      await this.#setSysctls(GUEST_SYSCTLS, name);
      const peer = await Peer.start(this, name);
      this.peers.set(name, peer);
      await listen(peer);
    }
  }

  /** The veth pairs of its workloads, their addresses and routes, all in one go: from here on there can be traffic. */
  async plugWorkloads(): Promise<void> {
    const { workloads, addresses } = this.plan;
    const plan = planTopology({ workloads, hostAddresses: addresses }, (name) => name);
    await this.#configure(plan.hostLinks);
    for (const [name, lines] of plan.guests) await this.#configure(lines, name);
    await this.#configure(plan.hostRoutes);
  }

  /** Takes the veth pair of one workload away and makes it again, as a pod that is started anew. */
  async replug(name: string): Promise<void> {
    const workload = this.plan.workloads.find((one) => one.name === name);
    if (workload === undefined) throw this.#error('plug', name, 'no such workload');
    const plan = planWorkload(workload, name);
    await this.#configure([`link del ${workload.hostInterface}`, ...plan.hostLinks]);
    await this.#configure(plan.guest, name);
    await this.#configure(plan.hostRoutes);
  }

  async writeManifests(files: ReadonlyMap<string, string>): Promise<void> {
    for (const [name, text] of files) await this.machine.write(`${MANIFESTS}/${name}`, text);
  }

  /** Starts the agent of a build, which is a folder, without waiting for anything. */
  launchAgent(build: string): void {
    const places = ['--bpffs', '/sys/fs/bpf', '--pin-root', PIN_ROOT, '--state-dir', `${FOLDER}/state`];
    // Without a store of flows: a guest of one slow processor has no time for a database beside what is asked of it.
    const words = ['agent', '--manifests', MANIFESTS, '--node', this.plan.node, ...places, '--socket', SOCKET];
    words.push('--flow-store', 'off');
    const agent = this.machine.spawn([process.execPath, `${build}/dist/cli/main.js`, ...words]);
    this.#log = '';
    agent.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).split('\n').slice(-LINES_KEPT).join('\n');
    });
    this.#agent = agent;
  }

  /** The first status that `accepts` takes. Throws KERNEL with the end of the agent's log. */
  async waitForAgent(accepts: (status: AgentStatus) => boolean): Promise<AgentStatus> {
    const end = performance.now() + AGENT_LIMIT_MS;
    let status: AgentStatus | undefined;
    while (performance.now() < end && this.#agent?.hasEnded === false) {
      status = await this.status();
      if (status !== undefined && accepts(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw this.#error('wait for', 'agent', `${JSON.stringify(status)}\n${this.#log}`);
  }

  /** undefined while no agent answers. */
  async status(): Promise<AgentStatus | undefined> {
    return this.machine.ask<AgentStatus>(SOCKET, '/v1/status').catch(() => undefined);
  }

  /** Ends the agent: SIGTERM asks it to, SIGKILL does not. What it enforced stays. */
  async endAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined || agent.hasEnded) return;
    const closed = new Promise((resolve) => agent.once('close', resolve));
    agent.kill(signal);
    await closed;
  }

  /** Its programs and everything that it kept in memory are gone afterwards: neither agent, peers nor interfaces are there. */
  async reboot(): Promise<void> {
    // They end with the machine: there is nothing to wait for.
    this.peers.clear();
    this.#agent = undefined;
    await this.machine.reboot();
  }

  /** Takes policy, namespaces and interfaces away, those of a run before too, for machines that live on. */
  async clear(build: string): Promise<void> {
    await this.endAgent('SIGTERM');
    for (const peer of this.peers.values()) await peer.close();
    this.peers.clear();
    if ((await this.machine.run(['test', '-e', FOLDER])).code !== 0) return;
    const cleanUp = ['cleanup', '--bpffs', '/sys/fs/bpf', '--pin-root', PIN_ROOT];
    await this.machine.exec([process.execPath, `${build}/dist/cli/main.js`, ...cleanUp]);
    for (const { name } of this.plan.workloads) await this.machine.run(['ip', 'netns', 'delete', name]);
    for (const address of this.plan.addresses)
      await this.machine.run(['ip', 'address', 'delete', address, 'dev', 'lo']);
    await this.machine.run(['ip', 'route', 'delete', `${GATEWAY_V4}/32`, 'dev', 'lo']);
    await this.machine.exec(['rm', '-rf', FOLDER]);
  }

  /** In the namespace of a workload. */
  enter(name: string, argv: readonly string[]): string[] {
    return ['nsenter', `--net=/run/netns/${name}`, '--', ...argv];
  }

  /** The namespace of a workload, for programs. */
  place(name: string): Place {
    return {
      spawn: (argv) => this.machine.spawn(this.enter(name, argv)),
      run: (argv) => this.machine.run(this.enter(name, argv)),
    };
  }

  /** Sets the link's MTU, and that of the workloads, which never is below the usual one. */
  async setMtu(mtu: number): Promise<void> {
    const inner = Math.max(mtu, USUAL_MTU);
    const workloads = this.plan.workloads.flatMap(({ name, hostInterface }) => [
      `link set ${hostInterface} mtu ${inner}`,
      `-n ${name} link set ${GUEST_INTERFACE} mtu ${inner}`,
    ]);
    await this.#runEach([`link set ${this.uplink} mtu ${mtu}`, ...workloads, ...this.#linkLines()]);
    await this.forgetPaths();
  }

  /** What was learnt about paths, of their MTU above all, is not known any more. */
  async forgetPaths(): Promise<void> {
    const flushed = this.plan.workloads.flatMap(({ name }) => [
      `-4 -n ${name} route flush cache`,
      `-6 -n ${name} route flush cache`,
    ]);
    await this.#runEach(flushed);
  }

  /** Takes the link down for so long and brings it back with all that went with it. */
  async flapLink(downMs: number): Promise<void> {
    // One command: it may be the very link that the next one would come by.
    const restore = this.#linkLines().map((line) => `ip ${line}`);
    await this.#script([`ip link set ${this.uplink} down`, `sleep ${downMs / 1000}`, ...restore]);
  }

  spawn(name: string, argv: readonly string[]): RemoteProcess {
    return this.machine.spawn(this.enter(name, argv));
  }

  #linkLines(): string[] {
    const { routes, subnets, linkAddresses } = this.plan;
    return [
      `link set ${this.uplink} up`,
      `address replace ${linkAddresses[1]}/64 dev ${this.uplink} nodad`,
      ...[...routes].map(([prefix, via]) => `route replace ${prefix} via ${via} dev ${this.uplink}`),
      ...subnets.map((prefix) => `route replace blackhole ${prefix}`),
    ];
  }

  async #setSysctls(sysctls: Sysctls, namespace?: string): Promise<void> {
    for (const [value, paths] of Object.entries(sysctls)) {
      const argv = ['tee', ...paths.map((path) => `/proc/sys/net/${path}`)];
      await this.machine.exec(namespace === undefined ? argv : this.enter(namespace, argv), value);
    }
  }

  /** Words of `ip`, of one namespace or another: what `ip -batch` cannot take. */
  async #runEach(lines: readonly string[]): Promise<void> {
    await this.#script(lines.map((line) => `ip ${line}`));
  }

  /** In one step: each costs a slow guest its time. */
  async #script(commands: readonly string[]): Promise<void> {
    await this.machine.exec(['sh', '-c', commands.join(' && ')]);
  }

  async #configure(lines: readonly string[], namespace?: string): Promise<void> {
    const place = namespace === undefined ? [] : ['-n', namespace];
    await this.machine.exec(['ip', ...place, '-batch', '-'], lines.map((line) => `${line}\n`).join(''));
  }

  #error(operation: string, target: string, found: string): DataplaneError {
    return new DataplaneError('KERNEL', found, { operation: `${operation} in ${this.machine.name}`, target });
  }
}
