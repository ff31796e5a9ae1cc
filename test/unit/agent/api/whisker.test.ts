import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sendToAgent } from '../../../../src/cli/agent-client.ts';
import type { WhiskerFlow } from '../../../../src/observe/export/whisker.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { flowLogs } from '../../../support/export/flow-logs.ts';

describe("Whisker's backend", () => {
  let agent: KernelLessAgent;

  beforeEach(async () => {
    agent = await KernelLessAgent.start();
  });

  afterEach(async () => {
    await agent.end();
  });

  it('tells flows as server-sent events, put together and filtered', async () => {
    let text = '';
    const filters = encodeURIComponent(JSON.stringify({ actions: ['Deny'] }));
    const path = `/whisker-backend/flows?watch=true&filters=${filters}`;
    const asked = request({ socketPath: agent.options.socket, path });
    const headers = await new Promise((resolve) => {
      asked.on('response', (response) => {
        response.on('data', (chunk) => (text += chunk)).on('error', () => {});
        resolve(response.headers);
      });
      asked.on('error', () => {});
      asked.end();
    });
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream' });
    agent.flows.hub.publish(flowLogs(100));
    await vi.waitFor(() => expect(text).toMatch(/^data: .*\n\n$/s), { timeout: 5000 });
    const flows = text
      .trim()
      .split('\n\n')
      .map((event) => JSON.parse(event.slice('data: '.length)) as WhiskerFlow);
    expect(flows.every(({ action, reporter }) => action === 'Deny' && reporter === 'Dst')).toBe(true);
    expect(flows.reduce((sum, { bytes_in }) => sum + bytes_in, 0)).toBe(50 * 300);
    asked.destroy();
  });

  it('counts flows of more keys than are put together', async () => {
    const asked = request({ socketPath: agent.options.socket, path: '/whisker-backend/flows?watch=true' });
    await new Promise((resolve) => {
      asked.on('response', (response) => {
        response.on('error', () => {}).resume();
        resolve(response);
      });
      asked.on('error', () => {});
      asked.end();
    });
    const [one] = flowLogs(1) as [FlowLog];
    const logs = Array.from({ length: 65_540 }, (_, at) => ({
      ...one,
      destination: { ...one.destination, port: at & 0x7fff, aggregatedName: `to-${at >> 15}` },
    }));
    agent.flows.hub.publish(logs);
    expect(agent.flows.hub.leftOut).toEqual({ 'slow-reader': 0, 'too-many-keys': 4 });
    asked.destroy();
  });

  it.each([
    ['/whisker-backend/flows', 'only told as they come'],
    ['/whisker-backend/flows?watch=true&filters=nonsense', 'is no JSON'],
    ['/whisker-backend/flows?watch=true&filters=%7B%22x%22%3A1%7D', 'is no filter'],
  ])('refuses %s', async (path, why) => {
    await expect(sendToAgent(agent.options.socket, { method: 'GET', path })).rejects.toThrow(why);
  });
});
