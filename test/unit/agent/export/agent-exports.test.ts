import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventKind } from '../../../../src/abi/event.gen.ts';
import { EventHub } from '../../../../src/agent/event-hub.ts';
import { AgentExports } from '../../../../src/agent/export/agent-exports.ts';
import { Logger } from '../../../../src/base/log.ts';
import type { TraceEntry } from '../../../../src/model/trace.ts';
import { FlowHub } from '../../../../src/observe/flows/flow-hub.ts';
import { eventChunk } from '../../../support/export/event-chunk.ts';
import { flowLogs } from '../../../support/export/flow-logs.ts';
import { worldFrom } from '../../../support/world-from.ts';

const POLICY = `
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: watched}
spec:
  selector: all()
  types: [Ingress]
  ingress: [{action: Log}, {action: Allow}]`;
const TRACE: TraceEntry = { tier: 'default', kind: 'gnp', name: 'watched', action: 'allow', ruleIndex: 1 };

const log = new Logger({ level: 'error', write: () => {} });
const SETTINGS = { exports: '', packetLog: '', logPrefix: '%k %n', logActionRate: '', logActionBurst: 5 };

let folder: string;
let events: EventHub;
let flowHub: FlowHub;
let registry: Registry;
let exports: AgentExports;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-agent-exports-'));
  const names = {
    endpointAt: () => undefined,
    verdict: () => ({ verdict: 'allow' as const, trace: [TRACE] }),
    interfaceName: () => 'eth0',
  };
  events = new EventHub(names, log);
  flowHub = new FlowHub(log);
  registry = new Registry();
  const options = { node: '*', stateDirectory: folder };
  const tally = () => ({ captured: 1, suppressed: 2, lost: 3 });
  const store = { status: () => ({ handedOver: 0, lost: 0, notWritten: 0, overflowed: 0, waiting: 0 }) };
  exports = new AgentExports(
    { events, flows: { hub: flowHub, store, captures: { tally } }, world: worldFrom(POLICY), generation: 1, options },
    registry,
    log,
  );
});
afterEach(async () => {
  await exports.close();
  rmSync(folder, { recursive: true });
});

const lines = (name: string): Record<string, unknown>[] =>
  existsSync(join(folder, name))
    ? readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

describe('AgentExports', () => {
  it('brings flow logs and lines of Log rules to where the settings say, and counts both', async () => {
    await exports.reconfigure({
      ...SETTINGS,
      exports: `file://${folder}/flows`,
      packetLog: `file://${folder}/packets`,
    });
    flowHub.publish(flowLogs(10));
    events.publish(eventChunk(3, EventKind.LOG));
    await vi.waitFor(() => expect([lines('flows').length, lines('packets').length]).toEqual([10, 3]), 5000);
    expect(lines('packets')[0]).toMatchObject({
      text: expect.stringMatching(/^gnp watched: IN=eth0 OUT= SRC=10\.0\.0\.1 /),
      rule: { name: 'watched', index: 0, location: expect.stringMatching(/^test\.yaml:\d+$/) },
    });
    expect(exports.status()).toMatchObject({
      exporters: [{ exporter: 'file', delivered: 10 }],
      packetLog: { lines: 3, suppressed: 0 },
    });
    const text = await registry.metrics();
    expect(text).toContain('tortie_export_flows_total{exporter="file",outcome="delivered"} 10');
    expect(text).toContain('tortie_log_action_packets_total{outcome="logged"} 3');
  });

  it('does nothing once it is closed', async () => {
    await exports.reconfigure({ ...SETTINGS, packetLog: `file://${folder}/packets` });
    await exports.close();
    events.publish(eventChunk(3, EventKind.LOG));
    flowHub.publish(flowLogs(3));
    expect(lines('packets')).toEqual([]);
    expect(flowHub.hasListeners).toBe(false);
  });
});
