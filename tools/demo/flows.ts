// The last act: what the agent saw of all that, why a packet was denied, and the policy that the traffic itself suggests.
import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { paint } from '../../src/cli/output.ts';
import { socketPath } from '../lab/agent.ts';
import { tortieCommand } from '../lab/project.ts';
import { COLUMNS, formatMs, sayDetail, saySection, truncate } from './screen.ts';
import type { Shop } from './shop.ts';

/** How the agent of the demo keeps flows: each record, a second after it happened. */
export const FLOW_SETTINGS = { TORTIE_FLOW_STORE: 'all', TORTIE_FLOW_LOGS_INTERVAL: '1' } as const;
const STORED_LIMIT_MS = 15_000;
const POLL_EVERY_MS = 500;
const NAMESPACE = 'shop';
const SHOWN = 4;
const DENIED = { from: 'shop/web-1', to: 'shop/db-1', port: '5432' } as const;

interface Answer {
  readonly isOk: boolean;
  readonly text: string;
}

interface Sample {
  readonly action: string;
  readonly source: { readonly namespace: string; readonly name: string };
  readonly destination: { readonly namespace: string; readonly name: string; readonly port: number };
  readonly protocol: string;
  readonly enforced: readonly string[];
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Returns whether the flows are there, the drop has its line, and the recommendation denies nothing that was seen. */
export async function showFlows(shop: Shop): Promise<boolean> {
  saySection('What the agent saw of all that: tortie flows');
  const start = performance.now();
  const denied = await waitForDenied(shop);
  const allowed = await samples(shop, ['--verdict', 'allow', '--reporter', 'dst', '--filter', 'bytes > 0']);
  for (const sample of [...latestOfEach(allowed), ...latestOfEach(denied)]) {
    sayDetail(truncate(describe(sample), COLUMNS - 2));
  }
  sayDetail(paint(`from the store, ${formatMs(performance.now() - start)} after they were asked for`, 'dim'));
  return denied.length > 0 && allowed.length > 0 && (await showWhy(shop)) && (await showRecommendation(shop));
}

/** A denied connection, in the store once the agent has read it. */
async function waitForDenied(shop: Shop): Promise<Sample[]> {
  const until = performance.now() + STORED_LIMIT_MS;
  for (;;) {
    const found = await samples(shop, ['--verdict', 'deny', '--to', DENIED.to, '--last', '20']);
    if (found.length > 0 || performance.now() > until) return found;
    await sleep(POLL_EVERY_MS);
  }
}

async function showWhy(shop: Shop): Promise<boolean> {
  const { from, to, port } = DENIED;
  saySection(`Why does ${from} not reach ${to}? tortie why --from ${from} --to ${to} --port ${port}`);
  const { text } = await tortie(shop, ['why', '--from', from, '--to', to, '--port', port]);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.slice(0, 8)) sayDetail(truncate(line, COLUMNS - 2));
  return lines[0]?.startsWith('DENY') === true && /\.yaml:\d+/.test(text);
}

async function showRecommendation(shop: Shop): Promise<boolean> {
  saySection(`Policy made of this traffic: tortie recommend --namespace ${NAMESPACE}`);
  const { isOk, text } = await tortie(shop, ['recommend', '--namespace', NAMESPACE, '--since', '1h']);
  const proof = text.split('\n').filter((line) => line.startsWith('# proof'));
  const policies = text.match(/^kind: Staged/gm)?.length ?? 0;
  sayDetail(`${policies} staged policies, ready to be applied and watched`);
  for (const line of proof) sayDetail(paint(truncate(line.slice(2), COLUMNS - 2), isOk ? 'green' : 'red'));
  return isOk && policies > 0 && proof.length > 0;
}

async function samples(shop: Shop, words: readonly string[]): Promise<Sample[]> {
  const { text } = await tortie(shop, ['flows', ...words, '-o', 'json']);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sample);
}

/** Of different ends and services, a few. */
function latestOfEach(all: readonly Sample[]): Sample[] {
  return [...new Map(all.map((sample) => [endsOf(sample), sample])).values()].slice(0, SHOWN);
}

function endsOf({ source, destination, protocol }: Sample): string {
  const nameOf = (end: Sample['source']): string => (end.namespace === '' ? end.name : `${end.namespace}/${end.name}`);
  return `${nameOf(source)} -> ${nameOf(destination)} ${protocol} ${destination.port}`;
}

function describe(sample: Sample): string {
  const sign = sample.action === 'allow' ? paint('✓', 'green') : paint('✗', 'red');
  const [, tier = '', policy = ''] = sample.enforced.at(-1)?.split('|') ?? [];
  const bytes = `${sample.bytesIn + sample.bytesOut} B`;
  return `${sign} ${endsOf(sample).padEnd(38)}${bytes.padEnd(8)}${tier} ${policy}`;
}

async function tortie(shop: Shop, words: readonly string[]): Promise<Answer> {
  const [program = '', ...rest] = tortieCommand(...words, '--socket', socketPath(shop.lab));
  try {
    const { stdout } = await promisify(execFile)(program, rest, { maxBuffer: 2 ** 24 });
    return { isOk: true, text: stdout };
  } catch (error) {
    return { isOk: false, text: `${(error as { stdout?: string }).stdout ?? ''}` };
  }
}
