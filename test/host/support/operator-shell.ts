// What an operator types on the host of a setting: tortie is this build's and finds agent, pins and manifests where they are here.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinRoot } from '../../../tools/lab/agent.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../../tools/lab/project.ts';
import type { Setting } from './setting.ts';

export interface Said {
  readonly code: number;
  /** Both outputs. */
  readonly text: string;
}

export class OperatorShell {
  readonly #setting: Setting;
  /** Where it is: files that a command writes are here. */
  readonly folder: string;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.folder = join(setting.lab.directory, 'operator');
    mkdirSync(join(this.folder, 'bin'), { recursive: true });
    const script = `#!/bin/sh\nexec ${tortieCommand().join(' ')} "$@"\n`;
    writeFileSync(join(this.folder, 'bin/tortie'), script, { mode: 0o755 });
  }

  /** One line of a shell. What goes on until it is stopped (`timeout`) does so for a second, and has done well. */
  async run(line: string): Promise<Said> {
    const { lab, manifests } = this.#setting;
    const socket = join(lab.directory, 'agent.sock');
    const here = line
      .replaceAll('/run/tortie/agent.sock', socket)
      .replaceAll('/etc/tortie/manifests', manifests.path)
      .replace(/^timeout \d+ (.*)$/, 'timeout 1 $1; [ $? = 124 ]');
    const places = {
      PATH: `${this.folder}/bin:${process.env.PATH}`,
      TORTIE_SOCKET: socket,
      TORTIE_BPFFS: lab.bpffs,
      TORTIE_PIN_ROOT: pinRoot(lab),
      TORTIE_MANIFESTS: manifests.path,
    };
    const environment = Object.entries(places).map(([name, value]) => `${name}=${value}`);
    const script = `{ ${here}\n} 2>&1; echo "exit $?"`;
    const { stdout } = await lab.exec(HOST, ['env', '-C', this.folder, ...environment, 'sh', '-c', script]);
    const [, text = '', code] = /^([\s\S]*)exit (\d+)\n$/.exec(stdout) ?? [];
    return { code: Number(code), text };
  }
}
