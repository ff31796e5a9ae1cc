// The stage: the example's network with a peer in every namespace, a copy of its manifests, and an agent. Nothing is asked here.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Agent } from '../lab/agent.ts';
import { type Example, loadExample } from '../lab/example.ts';
import { ManifestFolder } from '../lab/manifest-folder.ts';
import { Lab } from '../lab/namespaces.ts';
import type { Peer } from '../lab/peer.ts';
import { startPeers } from '../lab/peers.ts';
import { findProject } from '../lab/project.ts';
import { formatMs, sayDetail } from './screen.ts';

export const EXAMPLE_NODE = 'node1';

export class Shop {
  readonly example: Example;
  readonly lab: Lab;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly manifests: ManifestFolder;
  #agent: Agent | undefined;

  private constructor(example: Example, lab: Lab, peers: ReadonlyMap<string, Peer>) {
    this.example = example;
    this.lab = lab;
    this.peers = peers;
    this.manifests = new ManifestFolder(join(lab.directory, 'manifests'));
    this.manifests.copyFrom(example.manifests);
  }

  /** Builds the network and starts the agent; says how long each took. Throws what Lab and Agent throw, and leaves nothing then. */
  static async open(): Promise<Shop> {
    Lab.sweep();
    const example = loadExample(join(findProject(), 'examples', 'three-tier'));
    const start = performance.now();
    const lab = await Lab.create(example.lab);
    try {
      const peers = await startPeers(lab, (name) => example.listeners.get(name) ?? []);
      sayDetail(
        `a host with pods web, api and db, and machines office and internet: ${formatMs(performance.now() - start)}`,
      );
      const shop = new Shop(example, lab, peers);
      await shop.startAgent();
      return shop;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the agent was not started');
    return this.#agent;
  }

  /** Starts an agent on the manifests, after the one before has ended. */
  async startAgent(): Promise<void> {
    const start = performance.now();
    this.#agent = await Agent.start(this.lab, { manifests: this.manifests.path, node: EXAMPLE_NODE });
    const status = await this.#agent.status();
    const ready = status?.endpoints.filter((one) => one.state === 'ready').length;
    sayDetail(`an agent enforces ${ready} endpoints by ${status?.attachMode}: ${formatMs(performance.now() - start)}`);
  }

  /** Throws an ordinary Error: the demo misspells a name. */
  peer(name: string): Peer {
    const peer = this.peers.get(name);
    if (peer === undefined) throw new Error(`no peer ${name}`);
    return peer;
  }

  /** The bare address of a participant, in the family of another address. */
  addressLike(name: string, other: string): string {
    const { workloads, outsiders = [], hostAddresses = [] } = this.lab.spec;
    const outsider = outsiders
      .find((one) => one.name === name)
      ?.subnets.map((subnet) => subnet.outsider.replace(/\/.*/, ''));
    const all = workloads.find((one) => one.name === name)?.addresses ?? outsider ?? hostAddresses;
    return all.find((address) => address.includes(':') === other.includes(':')) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.close();
  }
}
