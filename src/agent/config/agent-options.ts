// Resolved settings as the agent takes them: its options at the start, and what it can be told while it runs.

import type { ExportOptions } from '../export/agent-exports.ts';
import { parseLimits } from '../limits.ts';
import { type AgentOptions, completeOptions, type LiveOptions } from '../options.ts';
import type { ResolvedSettings } from './layer.ts';
import { LIMITS_KEY, type SettingValues } from './settings.ts';

/** Values by name; those of limits are there too, as `limits.<name>`. */
export function valuesOf(settings: ResolvedSettings): SettingValues {
  return Object.fromEntries([...settings].map(([name, { value }]) => [name, value])) as unknown as SettingValues;
}

export function toAgentOptions(settings: ResolvedSettings): AgentOptions {
  const values = valuesOf(settings);
  const { manifests, node, bpffs, pinRoot, stateDirectory, socket, metricsHits, logLevel } = values;
  const limits = [...settings]
    .filter(([name]) => name.startsWith(`${LIMITS_KEY}.`))
    .map(([name, { value }]) => `${name.slice(LIMITS_KEY.length + 1)}=${value}`);
  const places = { manifests, node, bpffs, pinRoot, stateDirectory, socket };
  const { sizes } = completeOptions({});
  return completeOptions({
    ...places,
    ...toLiveOptions(settings),
    attachMode: values.attach,
    metricsHits,
    logLevel,
    limits: parseLimits(limits),
    sizes: { ...sizes, flows: values.maxFlows, heapWords: values.heapWords, v6Nodes: values.v6Nodes },
  });
}

export function toLiveOptions(settings: ResolvedSettings): LiveOptions {
  const { established, onDeny, interfacePrefix, guardInterfaces, ...others } = valuesOf(settings);
  const { eventBudget, auditSeconds, synProtection, synSourceRate, synListenerRate } = others;
  const { flowStore, flowStoreDays, flowStoreBytes, flowLogs, flowLogsInterval } = others;
  return {
    established,
    onDeny,
    interfacePrefix,
    guardInterfaces,
    synProtection,
    synSourceRate,
    synListenerRate,
    flowStore,
    flowStoreDays,
    flowStoreBytes,
    flowLogs,
    flowLogsInterval,
    eventBudget,
    auditSeconds,
  };
}

export function toExportOptions(settings: ResolvedSettings): ExportOptions {
  const { exports, packetLog, logPrefix, logActionRate, logActionBurst } = valuesOf(settings);
  return { exports, packetLog, logPrefix, logActionRate, logActionBurst };
}
