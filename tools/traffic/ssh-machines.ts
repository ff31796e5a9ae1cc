// Machines of a traffic test as those of the Vagrantfile: this one is host1, the others are reached by ssh. The same test in guests
// of our own: vm-machines.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataplaneError } from '../../src/base/errors.ts';
import { runCommand } from '../../src/bench/command.ts';
import { ensurePeer } from '../lab/build-peer.ts';
import { findProject } from '../lab/project.ts';
import type { Carrier, Line } from './machine.ts';
import { STEP_SERVER } from './vm-machines.ts';

/** Name -> address. Written when the machine was provisioned; only host1 has it. */
const PLACES = '/etc/tortie/traffic.json';
const HERE = 'host1';
/** Nothing of it runs in the others: what other tools build, and compilers, which are most of node_modules. */
const NOT_SENT = [
  ...['/.git', '/.vagrant', '/build/fuzz', '/build/vm'],
  ...['@biomejs', '@rolldown', 'lightningcss*', 'typescript'].map((name) => `/node_modules/${name}`),
];
const REBOOT_LIMIT_MS = 300_000;
const COMPLAINTS_KEPT = 4000;

/** Whether this is the machine that leads the others of the Vagrantfile. */
export function isVagrantLeader(): boolean {
  return existsSync(PLACES);
}

export class SshCarrier implements Carrier {
  readonly isLasting = true;
  /** The provider's bridge between them has no other. */
  readonly largestMtu = 1500;
  readonly #places = JSON.parse(readFileSync(PLACES, 'utf8')) as Readonly<Record<string, string>>;
  readonly #children = new Set<ChildProcess>();

  async open(name: string): Promise<Line> {
    // It is not part of the build.
    await ensurePeer();
    const root = findProject();
    const server = [process.execPath, join(root, STEP_SERVER)];
    if (name === HERE) return this.#start(['sudo', '-n', ...server]);
    // The others have no build of their own: what is tested is what is built here.
    const words = NOT_SENT.map((pattern) => `--exclude=${pattern}`);
    const way = `--rsh=ssh ${this.#sshWords().join(' ')}`;
    await runCommand(['rsync', '-a', '--delete', ...words, way, `${root}/`, `${this.#place(name)}:${root}/`]);
    return this.#start(['ssh', ...this.#sshWords(), this.#place(name), 'sudo', '-n', ...server]);
  }

  /** Resets the machine as its button would, without a sync. */
  async reboot(name: string, line: Line): Promise<Line> {
    const before = await this.#bootId(name);
    // The answer is the end of the connection.
    await runCommand(['ssh', ...this.#sshWords(), this.#place(name), 'sudo', 'sync']);
    const reset = spawn('ssh', [...this.#sshWords(), this.#place(name), 'sudo', 'reboot', '-ff'], { stdio: 'ignore' });
    this.#children.add(reset);
    const end = performance.now() + REBOOT_LIMIT_MS;
    let after: string | undefined = before;
    while (after === undefined || after === before) {
      if (performance.now() > end) throw this.#error(name, 'did not come back');
      await sleep(1000);
      after = await this.#bootId(name);
    }
    reset.kill('SIGKILL');
    line.toServer.end();
    return this.open(name);
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'close');
      if (child.stdin === null) child.kill('SIGKILL');
      else child.stdin.end();
      await ended;
    }
  }

  #start(argv: readonly string[]): Line {
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.add(child);
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaints = (complaints + chunk).slice(-COMPLAINTS_KEPT);
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code) => resolve(`exit code ${code}\n${complaints}`));
    });
    return { toServer: child.stdin, fromServer: child.stdout, ended };
  }

  /** Another one after every boot; undefined while the machine does not answer. */
  async #bootId(name: string): Promise<string | undefined> {
    const argv = ['ssh', ...this.#sshWords(), this.#place(name), 'cat', '/proc/sys/kernel/random/boot_id'];
    return runCommand(argv).then(
      ({ stdout }) => stdout,
      () => undefined,
    );
  }

  #sshWords(): string[] {
    const key = join(homedir(), '.ssh', 'traffic-key');
    const settings = ['BatchMode=yes', 'ConnectTimeout=5', 'LogLevel=ERROR'];
    // The machines are made anew at will, and nobody else is on their network.
    const trust = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
    // A flapping link is part of the test.
    const patience = ['ServerAliveInterval=15', 'ServerAliveCountMax=8'];
    return ['-i', key, ...[...settings, ...trust, ...patience].flatMap((setting) => ['-o', setting])];
  }

  #place(name: string): string {
    const address = this.#places[name];
    if (address === undefined) throw this.#error(name, `not in ${PLACES}`);
    return address;
  }

  #error(name: string, what: string): DataplaneError {
    return new DataplaneError('KERNEL', what, { operation: 'reach', target: name });
  }
}
