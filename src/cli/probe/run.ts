// One probe after the other between two ends, each done in the network namespace of the end that it starts from.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../../model/address.ts';
import type { ProbeProtocol, ProbeSample } from '../../observe/probe/report.ts';
import { linesOf, runElsewhere } from './elsewhere.ts';
import { namespaceOf, type ProbeEnd, requireNamespace } from './ends.ts';
import { measure } from './measure.ts';

/** What is done to a pair of ends. */
export interface ProbePlan {
  readonly port: number;
  readonly protocols: readonly ProbeProtocol[];
  /** Of each protocol; undefined = until stopped. */
  readonly count?: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Something answers there already. */
  readonly isExisting: boolean;
}

/** Of this process, through its own namespace. */
export async function* probeHere(address: string, plan: ProbePlan, signal: AbortSignal): AsyncGenerator<ProbeSample> {
  const { port, protocols, count = Number.POSITIVE_INFINITY, intervalMs, timeoutMs } = plan;
  for (let round = 0; round < count && !signal.aborted; round += 1) {
    if (round > 0) await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    for (const protocol of protocols) {
      if (!signal.aborted) yield await measure(protocol, { address, port, timeoutMs });
    }
  }
}

/** `from` undefined = from here. Whoever answers is started and ended with it. Throws NOT_FOUND, KERNEL. */
export async function* probePair(
  { from, to }: { readonly from: ProbeEnd | undefined; readonly to: ProbeEnd },
  plan: ProbePlan,
  signal: AbortSignal,
): AsyncGenerator<ProbeSample> {
  const place = from && requireNamespace(from);
  const responder = plan.isExisting ? undefined : await startResponder(to, plan.port);
  try {
    if (place === undefined) yield* probeHere(formatAddress(to.address), plan, signal);
    else yield* probeElsewhere(place, from?.name ?? '', to, plan, signal);
  } finally {
    responder?.kill();
  }
}

/** The same, done by this command in another namespace. */
async function* probeElsewhere(
  place: string,
  name: string,
  to: ProbeEnd,
  plan: ProbePlan,
  signal: AbortSignal,
): AsyncGenerator<ProbeSample> {
  const [protocol = 'TCP', ...more] = plan.protocols;
  const given = {
    to: formatAddress(to.address),
    port: plan.port,
    protocol: more.length > 0 ? 'both' : protocol.toLowerCase(),
    interval: plan.intervalMs,
    timeout: plan.timeoutMs,
    ...(plan.count !== undefined && { count: plan.count }),
  };
  const words = Object.entries(given).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const further = ['--existing', '--no-report', '--output', 'jsonl', ...(plan.count === undefined ? ['--follow'] : [])];
  const child = runElsewhere(place, ['probe', ...words, ...further]);
  const end = (): void => void child.kill();
  signal.addEventListener('abort', end);
  try {
    for await (const line of linesOf(child, name)) yield JSON.parse(line) as ProbeSample;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** undefined = the address is not of this machine, or something listens there: whoever answers was there before. */
async function startResponder(to: ProbeEnd, port: number): Promise<{ kill(): void } | undefined> {
  const path = namespaceOf(to);
  if (path === undefined) return undefined;
  const child = runElsewhere(path, ['probe', '--serve', '--port', String(port)]);
  const lines = linesOf(child, formatAddress(to.address));
  try {
    const { done } = await lines.next();
    if (done !== true) return child;
  } catch (error) {
    if (!String(error).includes('EADDRINUSE')) throw error;
  }
  return undefined;
}
