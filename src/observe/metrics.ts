// Prometheus metrics of the agent: one registry of what is read at each scrape and what the agent told as it went.
import { Registry } from 'prom-client';
import { addAgentMetrics } from './metrics/agent.ts';
import { Families, onceEachScrape } from './metrics/families.ts';
import { addFelixMetrics } from './metrics/felix.ts';
import { addGuardMetrics } from './metrics/guard.ts';
import type { Instruments } from './metrics/instruments.ts';
import { addKernelMetrics } from './metrics/kernel.ts';
import { addPacketMetrics } from './metrics/packets.ts';
import type { MetricsSource } from './metrics/source.ts';

/** Reads the source, a plain object, at every scrape. */
export function createMetrics(source: MetricsSource, instruments: Instruments): Registry {
  const families = new Families(new Registry());
  const frugal: MetricsSource = {
    ...source,
    counters: onceEachScrape(source.counters),
    guard: onceEachScrape(source.guard),
    endpointStates: onceEachScrape(source.endpointStates),
    flowTable: onceEachScrape(source.flowTable),
  };
  addPacketMetrics(families, frugal);
  addGuardMetrics(families, frugal);
  addKernelMetrics(families, frugal);
  addAgentMetrics(families, frugal);
  addFelixMetrics(families, frugal);
  return Registry.merge([families.registry, instruments.registry]);
}
