// In a guest: an agent whose state is on the guest's disk, somebody who changes its resources and tells of each change that was
// acknowledged, and a cut of the power in the middle of it. `node power-cut-agent.mjs FOLDER FIRST MS`: objects are numbered from FIRST on,
// the power goes MS after some changes; without MS it only says what is there.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAgent } from '../../../src/cli/agent-client.ts';
import { ResourceClient } from '../../../src/cli/resource-client.ts';

const STEADY = 3;
const POLL_MS = 100;
const TRIES = 1200;
const UNSYNCED = 'x'.repeat(65_536);

const [folder = '', first = '1', cutMs] = process.argv.slice(2);
const socket = join(folder, 'agent.sock');
const unsynced = join(folder, 'unsynced');
const client = new ResourceClient(socket);

/** Whoever listens is outside, and has it when this returns. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

async function startAgent(): Promise<ChildProcess> {
  const manifests = join(folder, 'manifests');
  mkdirSync(manifests, { recursive: true });
  const places = ['--manifests', manifests, '--state-dir', join(folder, 'state'), '--socket', socket];
  const agent = spawn(process.execPath, [String(process.env.TORTIE_PROGRAM), 'agent', '--node', 'n', ...places], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; tries < TRIES; tries += 1) {
    const isReady = await askAgent(socket, 'GET', '/readiness').then(
      () => true,
      () => false,
    );
    if (isReady) return agent;
    await sleep(POLL_MS);
  }
  throw new Error('the agent does not get ready');
}

async function change(number: number): Promise<void> {
  const name = `tier-${number}`;
  const tier = { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec: { order: number } };
  await client.create({ type: 'Tier' }, tier);
  tell(`acknowledged ${name}`);
}

/** What the kernel has not written yet is gone: nothing is synced nor unmounted. */
function cutPower(): void {
  writeFileSync(unsynced, UNSYNCED);
  tell('cut');
  writeFileSync('/proc/sysrq-trigger', 'b');
}

function isUnsyncedThere(): boolean {
  try {
    return readFileSync(unsynced, 'utf8') === UNSYNCED;
  } catch {
    return false;
  }
}

tell(`unsynced ${isUnsyncedThere() ? 'there' : 'gone'}`);
const agent = await startAgent();
const { items } = await client.list({ type: 'Tier' });
tell(`found ${items.map(({ metadata }) => String((metadata as { name?: string }).name)).join(' ')}`);
if (cutMs !== undefined) {
  for (let number = Number(first); ; number += 1) {
    await change(number);
    if (number === Number(first) + STEADY) setTimeout(cutPower, Number(cutMs));
  }
}
agent.kill('SIGKILL');
process.exit(0);
