// Where a host test plays: a lab with a peer in every namespace, a folder of manifests, and an agent that comes and goes.
// No policy and no expectation is known here.
import { join } from 'node:path';
import { Agent, type AgentOptions, cleanUp } from '../../../tools/lab/agent.ts';
import { ManifestFolder } from '../../../tools/lab/manifest-folder.ts';
import { Lab } from '../../../tools/lab/namespaces.ts';
import type { Peer, ProbeRequest, ProbeResult } from '../../../tools/lab/peer.ts';
import { type Listener, startPeers } from '../../../tools/lab/peers.ts';
import type { OutsiderSpec } from '../../../tools/lab/topology.ts';
import { NODE, type Workload, workloadManifests, workloadSpec } from './workloads.ts';

export interface SettingSpec {
  readonly workloads: readonly Workload[];
  readonly outsiders?: readonly OutsiderSpec[];
  /** Where every peer listens. */
  readonly listeners: readonly Listener[];
}

/** The file that holds the workloads of a setting. */
export const WORKLOADS_FILE = '00-workloads.yaml';

export class Setting {
  readonly lab: Lab;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly manifests: ManifestFolder;

  private constructor(lab: Lab, peers: ReadonlyMap<string, Peer>, manifests: ManifestFolder) {
    this.lab = lab;
    this.peers = peers;
    this.manifests = manifests;
  }

  /** Builds the network and writes the workloads' manifests, after removing what a crashed run left. Throws what Lab.create does. */
  static async create({ workloads, outsiders, listeners }: SettingSpec): Promise<Setting> {
    Lab.sweep();
    const lab = await Lab.create({ workloads: workloads.map(workloadSpec), outsiders });
    try {
      const manifests = new ManifestFolder(join(lab.directory, 'manifests'));
      manifests.write(WORKLOADS_FILE, workloadManifests(workloads));
      return new Setting(lab, await startPeers(lab, () => listeners), manifests);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** Throws an ordinary Error: it is the test that misspells the name. */
  peer(name: string): Peer {
    const peer = this.peers.get(name);
    if (peer === undefined) throw new Error(`no peer ${name}`);
    return peer;
  }

  async probe(from: string, request: ProbeRequest): Promise<ProbeResult> {
    return (await this.peer(from).probe(request)).result;
  }

  /** Starts an agent on this setting's manifests and waits until it is in sync. Throws what Agent.start does. */
  startAgent(options: Partial<AgentOptions> = {}): Promise<Agent> {
    return Agent.start(this.lab, this.#agentOptions(options));
  }

  /** Starts one without waiting. */
  launchAgent(options: Partial<AgentOptions> = {}): Agent {
    return Agent.launch(this.lab, this.#agentOptions(options));
  }

  /** Ends the agent, if one is given, and takes its policy off: the network is open again. Throws KERNEL. */
  async disarm(agent: Agent | undefined): Promise<void> {
    await agent?.kill();
    await cleanUp(this.lab);
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  #agentOptions(options: Partial<AgentOptions>): AgentOptions {
    return { manifests: this.manifests.path, node: NODE, ...options };
  }
}
