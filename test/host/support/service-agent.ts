// An agent started as systemd would start it: with a socket to tell, a watchdog, a configuration file, and no capability but those
// of the unit.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigReport } from '../../../src/agent/config/report.ts';
import type { AgentStatus } from '../../../src/agent/status.ts';
import { askAgent } from '../../../src/cli/agent-client.ts';
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';
import { findProject, tortieCommand } from '../../../tools/lab/project.ts';
import { NotifySocket } from './notify-socket.ts';

const UNIT = join(findProject(), 'packaging', 'tortie.service');

export function unitText(): string {
  return readFileSync(UNIT, 'utf8');
}

/** Of the unit, in lower case and without `CAP_`. */
export function unitCapabilities(): string[] {
  const line = /^CapabilityBoundingSet=(.*)$/m.exec(unitText())?.[1] ?? '';
  return line.split(' ').map((name) => name.replace('CAP_', '').toLowerCase());
}

export interface ServiceSpec {
  readonly capabilities?: readonly string[];
  readonly flags?: readonly string[];
}

let count = 0;

export class ServiceAgent {
  readonly socket: NotifySocket;
  readonly log: string[] = [];
  readonly #lab: Lab;
  readonly #child: ChildProcess;

  private constructor(lab: Lab, socket: NotifySocket, child: ChildProcess) {
    this.#lab = lab;
    this.socket = socket;
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.log.push(...text.trimEnd().split('\n')));
  }

  static configFile(lab: Lab): string {
    return join(lab.directory, 'tortie.yaml');
  }

  /** Writes the file as editors do. */
  static writeConfig(lab: Lab, settings: Readonly<Record<string, unknown>>): void {
    const places = {
      bpffs: lab.bpffs,
      pinRoot: join(lab.bpffs, 'tortie'),
      socket: join(lab.directory, 'agent.sock'),
    };
    writeFileSync(ServiceAgent.configFile(lab), `${JSON.stringify({ ...places, ...settings }, null, 1)}\n`);
  }

  /** Resolves at once; until it is ready, messages say how far it is. */
  static async launch(lab: Lab, { capabilities = unitCapabilities(), flags = [] }: ServiceSpec): Promise<ServiceAgent> {
    count += 1;
    const socket = await NotifySocket.open(lab, join(lab.directory, `notify-${count}`));
    const bounds = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
    const confine = ['setpriv', `--bounding-set=${bounds}`, '--inh-caps=-all', '--no-new-privs'];
    const command = tortieCommand('agent', '--config', ServiceAgent.configFile(lab), ...flags);
    const environment = {
      ...process.env,
      NOTIFY_SOCKET: socket.path,
      WATCHDOG_USEC: '200000',
      TORTIE_STATE_DIR: join(lab.directory, 'state'),
    };
    const child = lab.spawn(HOST, [...confine, ...command], { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    return new ServiceAgent(lab, socket, child);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  status(): Promise<AgentStatus> {
    return askAgent(join(this.#lab.directory, 'agent.sock'), 'GET', '/v1/status');
  }

  config(): Promise<ConfigReport> {
    return askAgent(join(this.#lab.directory, 'agent.sock'), 'GET', '/v1/config');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Returns the exit status. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const ended = once(this.#child, 'exit');
    if (!this.hasEnded) {
      this.#child.kill(name);
      await ended;
    }
    await this.socket.close();
    return this.#child.exitCode;
  }
}
