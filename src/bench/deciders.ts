// Puts one decider in force in an arena's router. Nothing is loaded outside that namespace.
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DataplaneError } from '../base/errors.ts';
import { builtFile, loadNative } from '../kernel/native.ts';
import { Arena } from './arena.ts';

import { type Decider, type GuestSpec, ROUTER } from './arena-spec.ts';
import { runCommand } from './command.ts';
import { planCpus } from './cpus.ts';
import { attachIngress } from './hooks.ts';

/** An agent on the largest policy that is measured. */
const AGENT_WAIT_S = 180;
const LOG_LINES = 20;

/**
 * A network with `decider` in force; on failure nothing of it stays. Needs root. Throws PERMISSION, NOT_FOUND for a program that is
 * not installed, KERNEL with what it said for rules or manifests that do not load.
 */
export async function openArena(guests: readonly GuestSpec[], decider: Decider): Promise<Arena> {
  const arena = await Arena.create(guests);
  try {
    await applyDecider(arena, decider);
  } catch (error) {
    await arena.close();
    throw error;
  }
  return arena;
}

async function applyDecider(arena: Arena, decider: Decider): Promise<void> {
  switch (decider.kind) {
    case 'none':
      return;
    case 'empty':
      return attachEmpty(arena);
    case 'iptables':
      return loadIptables(arena, decider.ipv4, decider.ipv6);
    case 'nftables':
      await arena.exec(ROUTER, ['nft', '-f', '-'], decider.text);
      return;
    case 'tortie':
      return startAgent(arena, decider.manifests, decider.agentFlags ?? []);
  }
}

function attachEmpty(arena: Arena): void {
  const object = loadNative().BpfObject.open(builtFile('build/bpf/traffic.bpf.o'), {});
  arena.onClose(() => object.close());
  for (const { hostInterface } of arena.guests) {
    arena.onClose(attachIngress(arena.namespacePath(ROUTER), hostInterface, object.program('tt_empty')));
  }
}

/** The iptables that walks its rules by itself where it is installed: the other one translates them to nftables. */
async function loadIptables(arena: Arena, ipv4: string, ipv6: string): Promise<void> {
  const legacy = await runCommand(['iptables-legacy-restore', '--version']).then(
    () => 'legacy-',
    () => '',
  );
  // The lock that all users of iptables share lies outside the namespace.
  const lock = ['env', `XTABLES_LOCKFILE=${join(arena.directory, 'xtables.lock')}`];
  if (ipv4 !== '') await arena.exec(ROUTER, [...lock, `iptables-${legacy}restore`], ipv4);
  if (ipv6 !== '') await arena.exec(ROUTER, [...lock, `ip6tables-${legacy}restore`], ipv6);
}

/** Of the agent that decides in an arena. */
export function agentSocket(arena: Arena): string {
  return join(arena.directory, 'agent.sock');
}

/** The command that users run, off the CPU of the traffic. */
export function tortieCommand(): string[] {
  return ['taskset', '-c', planCpus().others, process.execPath, builtFile('dist/cli/main.js')];
}

/** The agent that users run, off the CPU of the traffic. */
async function startAgent(arena: Arena, manifests: string, flags: readonly string[]): Promise<void> {
  const tortie = tortieCommand();
  const socket = agentSocket(arena);
  const places = ['--bpffs', arena.bpffs, '--state-dir', join(arena.directory, 'state'), '--socket', socket];
  const child = arena.spawn(ROUTER, [...tortie, 'agent', '--manifests', manifests, '--node', '*', ...places, ...flags]);
  const log: string[] = [];
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => keepLast(log, line));
  const fail = (what: string, found?: string): never => {
    throw new DataplaneError('KERNEL', [what, ...log].join('\n'), { operation: 'start', target: 'agent', found });
  };
  const ended = once(child, 'close').then(([status]) => fail('ended', `exit status ${status}`));
  const status = runCommand([...tortie, 'status', '--socket', socket, '--wait', String(AGENT_WAIT_S)]);
  await Promise.race([ended, status.catch((error: Error) => fail(error.message))]);
  // From here on its end is nobody's surprise: what it enforces stays.
  ended.catch(() => {});
}

function keepLast(log: string[], line: string): void {
  log.push(line);
  if (log.length > LOG_LINES) log.shift();
}
