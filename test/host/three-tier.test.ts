// The three-tier example as its README tells it: every row of the truth table, in both families, with the agent running.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { Agent } from '../../tools/lab/agent.ts';
import { loadExample } from '../../tools/lab/example.ts';
import { Lab } from '../../tools/lab/namespaces.ts';
import type { Peer } from '../../tools/lab/peer.ts';
import { startPeers } from '../../tools/lab/peers.ts';
import { describeDisagreements, truthTable } from '../../tools/lab/truth-table.ts';

const example = loadExample(join(import.meta.dirname, '../../examples/three-tier'));

describe('the three-tier example', () => {
  let lab: Lab;
  let peers: Map<string, Peer>;
  let agent: Agent;

  beforeAll(async () => {
    Lab.sweep();
    lab = await Lab.create(example.lab);
    peers = await startPeers(lab, (name) => example.listeners.get(name) ?? []);
    agent = await Agent.start(lab, { manifests: example.manifests, node: 'node1' });
  });

  afterAll(async () => {
    await lab?.close();
  });

  it('gives every answer that its README promises', async () => {
    expect(example.cases).toHaveLength(2 * 29);
    expect(describeDisagreements(await truthTable(peers, example.cases))).toEqual([]);
  });

  it('is in force on the three interfaces that its manifests name', async () => {
    const { stdout } = await agent.ask('status', '--wait', '5', '--output', 'json');
    const status = JSON.parse(stdout) as AgentStatus;
    const endpoints = status.endpoints.map((one) => [one.endpoint, one.interface, one.state]).sort();
    expect(endpoints).toEqual([
      ['shop/api-1', 'caliapi', 'ready'],
      ['shop/db-1', 'calidb', 'ready'],
      ['shop/web-1', 'caliweb', 'ready'],
    ]);
    expect(status.inSync).toBe(true);
    expect(status.manifests.errors).toEqual([]);
  });
});
