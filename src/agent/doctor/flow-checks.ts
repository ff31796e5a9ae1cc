// Check of what becomes of flows: are they counted, kept and sent as settings say. No verdict depends on it.
import { type Check, type Judgement, type Machine, ok, skip, warn } from './finding.ts';

export const FLOW_CHECKS: readonly Check[] = [
  { id: 'flow-logs', checked: 'flows are counted, kept and sent as the settings say', run: checkFlowLogs },
];

async function checkFlowLogs(machine: Machine): Promise<Judgement> {
  const { flowLogs, flowStore, exports } = (await machine.status()) ?? {};
  if (flowLogs === undefined || flowStore === undefined) return skip('no agent to ask');
  if (!flowLogs.isWanted) return skip('flow logs are off');
  if (!flowLogs.isOn)
    return warn('flows are not counted', "the log says why: journalctl -u tortie | grep 'no flow logs'");
  if (flowStore.error !== null) {
    return warn(
      `flows are not kept: ${flowStore.error}`,
      'see the disk of the state directory, and /flows/store of the API',
    );
  }
  const exporters = [...(exports?.exporters ?? []), ...(exports?.packetLog.exporters ?? [])];
  const bad = exporters.flatMap(({ exporter, error }) => (error === undefined ? [] : [`${exporter}: ${error}`]));
  if (bad.length > 0) {
    return warn(
      `nothing is sent to ${bad.join('; ')}`,
      'see whether the receiver listens, and docs/observability.md on its options',
    );
  }
  const sent = exporters.length === 0 ? '' : `, sent by ${exporters.map(({ exporter }) => exporter).join(', ')}`;
  return ok(`every ${flowLogs.intervalSeconds} s, kept: ${flowStore.mode}${sent}`);
}
