// A real sshd in a lab's host namespace, and a way in to it from the network: what tortie protect must never cut by mistake.
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandOutput } from '../../../src/bench/command.ts';
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../../tools/lab/patience.ts';

export interface SshServerSpec {
  readonly port: number;
  readonly address: string;
}

export class SshServer {
  readonly #lab: Lab;
  readonly #spec: SshServerSpec;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(lab: Lab, spec: SshServerSpec, folder: string, child: ChildProcess) {
    this.#lab = lab;
    this.#spec = spec;
    this.#folder = folder;
    this.#child = child;
  }

  /** With keys of its own, in a folder of the lab. */
  static async start(lab: Lab, spec: SshServerSpec): Promise<SshServer> {
    const folder = join(lab.directory, `ssh-${spec.port}`);
    mkdirSync(folder, { mode: 0o700 });
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    for (const key of ['host', 'user']) {
      await lab.exec(HOST, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    }
    writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'user.pub')));
    chmodSync(join(folder, 'authorized_keys'), 0o600);
    writeFileSync(join(folder, 'sshd_config'), configOf(folder, spec));
    const argv = ['/usr/sbin/sshd', '-D', '-e', '-f', join(folder, 'sshd_config')];
    return new SshServer(lab, spec, folder, lab.spawn(HOST, argv, { stdio: 'ignore' }));
  }

  /** Output of a command in a new session from another namespace. Throws KERNEL when it fails, or nobody can get in. */
  run(from: string, command: string, patienceSeconds = 4): Promise<CommandOutput> {
    return this.#lab.exec(from, this.#client(command, patienceSeconds));
  }

  /** Whether a new session comes to be. */
  async isReachable(from: string, patienceSeconds = 2): Promise<boolean> {
    try {
      return (await this.run(from, 'echo here', patienceSeconds)).stdout.trim() === 'here';
    } catch {
      return false;
    }
  }

  /** A session that goes on: each line of its input is a command. */
  open(from: string): ChildProcess {
    return this.#lab.spawn(from, this.#client('sh', 4), { stdio: ['pipe', 'pipe', 'ignore'] });
  }

  stop(): void {
    this.#child.kill();
  }

  #client(command: string, patienceSeconds: number): string[] {
    const { port, address } = this.#spec;
    const options = {
      BatchMode: 'yes',
      ConnectTimeout: String(Math.ceil(patienceSeconds * PATIENCE)),
      GlobalKnownHostsFile: '/dev/null',
      IdentitiesOnly: 'yes',
      LogLevel: 'ERROR',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    return [
      'ssh',
      '-F',
      'none',
      ...flags,
      '-p',
      String(port),
      '-i',
      join(this.#folder, 'user'),
      `root@${address}`,
      command,
    ];
  }
}

function configOf(folder: string, { port, address }: SshServerSpec): string {
  const settings = {
    Port: port,
    ListenAddress: address,
    HostKey: join(folder, 'host'),
    AuthorizedKeysFile: join(folder, 'authorized_keys'),
    PidFile: 'none',
    PermitRootLogin: 'yes',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    UsePAM: 'no',
    StrictModes: 'no',
    UseDNS: 'no',
    // A shell that is not the first one reads none of this machine's own start files.
    SetEnv: 'SHLVL=9',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}
