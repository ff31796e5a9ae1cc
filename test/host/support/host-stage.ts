// A host between two outsiders, with two workloads, and an agent on it: what tests of host endpoints play on. No policy and no
// expectation is known here.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { HostEndpointStatus } from '../../../src/agent/host-endpoint-status.ts';
import { type Agent, pinRoot } from '../../../tools/lab/agent.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';
import type { ProbeRequest } from '../../../tools/lab/peer.ts';
import { Setting } from './setting.ts';
import { type Workload, workload } from './workloads.ts';

export const POD: Workload = workload('lab', 'pod', 1);
export const OTHER_POD: Workload = workload('lab', 'other', 2);
/** Behind hepin. */
export const CLIENT = { v4: '192.0.2.10', v6: '2001:db8:1::10' } as const;
/** Behind hepout. */
export const SERVER = { v4: '198.51.100.10', v6: '2001:db8:2::10' } as const;
/** The host on hepin. */
export const GATE = { v4: '192.0.2.1', v6: '2001:db8:1::1' } as const;
export const PORT = 7000;
/** A failsafe port. */
export const SSH = 22;
export const FAMILIES = ['v4', 'v6'] as const;
export const PATIENCE_MS = 400;
export const SOON_MS = 5000;

const FILE = '50-host.yaml';
const OUTSIDERS = [
  {
    name: 'client',
    hostInterface: 'hepin',
    subnets: [
      { host: `${GATE.v4}/24`, outsider: `${CLIENT.v4}/24` },
      { host: `${GATE.v6}/64`, outsider: `${CLIENT.v6}/64` },
    ],
  },
  {
    name: 'server',
    hostInterface: 'hepout',
    subnets: [
      { host: '198.51.100.1/24', outsider: `${SERVER.v4}/24` },
      { host: '2001:db8:2::1/64', outsider: `${SERVER.v6}/64` },
    ],
  },
] as const;
const LISTENERS = [
  { transport: 'tcp', port: PORT } as const,
  { transport: 'udp', port: PORT } as const,
  { transport: 'tcp', port: SSH } as const,
];

export class HostStage {
  readonly setting: Setting;
  #agent: Agent | undefined;

  #writes = 0;

  private constructor(setting: Setting) {
    this.setting = setting;
  }

  static async create(): Promise<HostStage> {
    const outsiders = [...OUTSIDERS];
    return new HostStage(await Setting.create({ workloads: [POD, OTHER_POD], outsiders, listeners: LISTENERS }));
  }

  get #mark(): string {
    return `written-${this.#writes}`;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('no agent was started');
    return this.#agent;
  }

  async start(): Promise<void> {
    this.#agent = await this.setting.startAgent();
  }

  /** No agent, no policy, nothing pinned. */
  async clear(): Promise<void> {
    this.setting.manifests.remove(FILE);
    await this.setting.disarm(this.#agent);
  }

  /** With a set that nothing refers to: once the agent has it, the file was read. */
  write(...objects: readonly object[]): void {
    this.#writes += 1;
    const mark = { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkSet', metadata: { name: this.#mark } };
    this.setting.manifests.write(FILE, [...objects, { ...mark, spec: { nets: [] } }]);
  }

  /** Manifests besides the workloads', in force. */
  async apply(...objects: readonly object[]): Promise<void> {
    this.write(...objects);
    await vi.waitFor(() => this.agent.get(`/apis/projectcalico.org/v3/globalnetworksets/${this.#mark}`), {
      timeout: SOON_MS * PATIENCE,
      interval: 20,
    });
    await this.agent.waitFor(({ inSync }) => inSync, SOON_MS);
  }

  /** What a host may not send, its own sockets are told at once. */
  probe(from: string, request: Omit<ProbeRequest, 'timeoutMs'>): Promise<string> {
    return this.setting
      .probe(from, { ...request, timeoutMs: PATIENCE_MS })
      .catch((error: Error) => (/not permitted/.test(error.message) ? 'timeout' : Promise.reject(error)));
  }

  /** By TCP. */
  knock(from: string, address: string, port = PORT): Promise<string> {
    return this.probe(from, { transport: 'tcp', address, port });
  }

  /** Until the answer is this one, which it must be before long. */
  becomes(ask: () => Promise<string>, answer: string): Promise<void> {
    return vi.waitFor(async () => expect(await ask()).toBe(answer), { timeout: SOON_MS * PATIENCE, interval: 50 });
  }

  ip(...words: readonly string[]): Promise<unknown> {
    return this.setting.lab.exec(HOST, ['ip', ...words]);
  }

  /** Of the directory, whether it is there or not. */
  get hookDirectory(): string {
    return join(pinRoot(this.setting.lab), 'host-links');
  }

  hookPins(): string[] {
    try {
      return readdirSync(this.hookDirectory).sort();
    } catch {
      return [];
    }
  }

  async statusOf(name: string): Promise<HostEndpointStatus | undefined> {
    return (await this.agent.status())?.hostEndpoints.find(({ hostEndpoint }) => hostEndpoint === name);
  }

  close(): Promise<void> {
    return this.setting.close();
  }
}
