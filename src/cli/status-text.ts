// The state of an agent as `tortie status` prints it for people. Pure; the shape is agent/status.ts.
import type { FlowStoreStatus } from '../agent/flows/flow-store-service.ts';
import type { AgentStatus } from '../agent/status.ts';
import type { Confirmation } from '../agent/store/confirmation.ts';
import { formatSummary } from './block-text.ts';
import { endpointRows, listedEndpoints } from './endpoint-rows.ts';
import { formatTable, paint } from './output.ts';

/** The state, what is not as it should be among it; then endpoints and counters. */
export function formatStatus(status: AgentStatus): string {
  // Whole parts may be missing where the agent is of the version before.
  const { manifests, tables, error = null } = status;
  const lines = [
    `${paint(status.inSync ? 'in sync' : 'NOT in sync', status.inSync ? 'green' : 'red')}  generation ${status.generation}, node ${status.node}, attached by ${status.attachMode}, version ${status.version}`,
    ...(status.loading ? ['loading    manifests are being loaded; changes wait for that'] : []),
    `manifests  ${manifests.objects} objects from ${manifests.directory}, ${manifests.errors.length} refused`,
    ...manifests.errors.map((error) => `  ${paint(error.code, 'red')} ${error.message}`),
    ...formatStore(status),
    ...(error === null ? [] : [`  ${paint('not applied', 'red')} ${String(error.message)}`]),
    ...formatConfig(status),
    ...formatHealth(status),
    `tables     ${tables?.endpoints ?? 0} endpoints, ${tables?.policyLists ?? 0} policy lists, ${tables?.addressClasses ?? 0} address classes, ${tables?.l4Classes ?? 0} layer-4 classes`,
    `flows      ${status.flows}`,
    ...formatFlowLogs(status),
    ...formatBlock(status),
    '',
    formatTable(...endpointRows(listedEndpoints(status))),
    '',
    formatTable(
      ['PACKETS', 'BYTES', 'WHY'],
      Object.entries(status.counters)
        .filter(([, { packets }]) => packets > 0)
        .map(([reason, { packets, bytes }]) => [String(packets), String(bytes), reason]),
    ),
  ];
  return lines.join('\n');
}

/** What came over the API, and what of it still comes undone by itself. */
function formatStore({ store = null }: Partial<AgentStatus>): string[] {
  if (store === null) return [];
  // Agents of the version before do not say that an undo failed.
  const { revision, objects, pending, undoError = null } = store;
  const warning = pending === null ? [] : [`  ${describePending(pending, undoError)}`];
  return [`store      ${objects} objects, revision ${revision}`, ...warning];
}

function describePending({ revision, expires }: Confirmation, undoError: string | null): string {
  const way = `unless: tortie confirm ${revision}`;
  if (undoError === null) return paint(`revision ${revision} is undone at ${expires} ${way}`, 'yellow');
  const failed = `revision ${revision} was to be undone at ${expires} and cannot be; it is tried again and again ${way}`;
  return `${paint(failed, 'red')}\n    ${undoError}`;
}

/** Agents of the version before say nothing of flow logs. */
function formatFlowLogs({ flowLogs, flowStore, flowStreams, exports }: Partial<AgentStatus>): string[] {
  if (flowLogs === undefined || flowStore === undefined) return [];
  const { isOn, isWanted, intervalSeconds, records, lost, isSampling } = flowLogs;
  const unread = lost.eventsLost + lost.recordsSampledOut;
  const counted = `every ${intervalSeconds} s, ${records} records, ${unread} lost${isSampling ? ', more come than are told' : ''}`;
  const sent = [...(exports?.exporters ?? []), ...(exports?.packetLog.exporters ?? [])];
  const bad = [
    ...(isWanted && !isOn ? ['flow logs cannot be had: see the log'] : []),
    ...(flowStore.error === null ? [] : [`not kept: ${flowStore.error}`]),
    ...sent.flatMap(({ exporter, error }) => (error === undefined ? [] : [`not sent by ${exporter}: ${error}`])),
  ];
  const told = sent.map(({ exporter, delivered, dropped }) => `${exporter} ${delivered} sent, ${dropped} dropped`);
  return [
    `flow logs  ${isOn ? [counted, formatKept(flowStore), ...formatFollowed(flowStreams), ...told].join('; ') : 'off'}`,
    ...bad.map((line) => `  ${paint(line, 'yellow')}`),
  ];
}

/** Agents of the version before do not say what waits and why something is lost. */
function formatKept({ mode, handedOver, lost, waiting = 0, overflowed = 0 }: FlowStoreStatus): string {
  if (mode === 'off') return 'none kept';
  const ofKeys = overflowed === 0 ? '' : ` (${overflowed} of too many keys)`;
  return `${mode} kept: ${handedOver}, ${lost} lost${ofKeys}${waiting === 0 ? '' : `, ${waiting} wait`}`;
}

function formatFollowed(streams: AgentStatus['flowStreams'] | undefined): string[] {
  const { 'slow-reader': slow = 0, 'too-many-keys': keys = 0 } = streams?.leftOut ?? {};
  const reasons = [
    ...(slow === 0 ? [] : [`${slow} read too slowly`]),
    ...(keys === 0 ? [] : [`${keys} of too many keys`]),
  ];
  return reasons.length === 0 ? [] : [`left out of streams: ${reasons.join(', ')}`];
}

/** Only where something is blocked, or is not and should be; agents of the version before block nothing. */
function formatBlock({ block }: Partial<AgentStatus>): string[] {
  if (block === undefined || (block.entries + block.feeds === 0 && block.error === null)) return [];
  const [first = '', ...rest] = formatSummary(block);
  return [`blocked    ${first}`, ...rest.map((line) => `  ${line}`)];
}

/** Only what somebody should look at. */
function formatConfig({ config = null }: Partial<AgentStatus>): string[] {
  if (config === null) return [];
  const { errors, pending } = config;
  const waiting = pending.length === 0 ? [] : [`  ${paint('after a restart', 'yellow')} ${pending.join(', ')}`];
  const lines = [...errors.map(({ code, message }) => `  ${paint(code, 'red')} ${message}`), ...waiting];
  return lines.length === 0 ? [] : ['settings   not all as their sources say', ...lines];
}

/** Agents of the version before have no conditions. */
function formatHealth({ conditions = [], repairs, repairsByCause = {} }: Partial<AgentStatus>): string[] {
  const degraded = conditions.map(
    ({ type, reason, message, since }) => `  ${paint(`${type}: ${reason}`, 'yellow')} since ${since}: ${message}`,
  );
  const causes = Object.entries(repairsByCause).map(([cause, count]) => `${count} ${cause}`);
  return [
    `health     ${conditions.length === 0 ? 'nothing is degraded' : `${conditions.length} degraded`}, ${repairs ?? 0} repairs${causes.length === 0 ? '' : ` (${causes.join(', ')})`}`,
    ...degraded,
  ];
}
