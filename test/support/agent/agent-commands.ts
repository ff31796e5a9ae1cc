// Commands of the product against an agent without a kernel, with files for them to read.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CommandResult, runCommand } from '../run-command.ts';
import { KernelLessAgent, type KernelLessOptions } from './kernel-less-agent.ts';

export class AgentCommands {
  agent: KernelLessAgent;
  readonly #socket = process.env.TORTIE_SOCKET;

  private constructor(agent: KernelLessAgent) {
    this.agent = agent;
    process.env.TORTIE_SOCKET = agent.options.socket;
  }

  static async start(options: KernelLessOptions = {}): Promise<AgentCommands> {
    return new AgentCommands(await KernelLessAgent.start(options));
  }

  /** Path of a file that holds the objects as a YAML stream, or the text. */
  file(name: string, ...content: readonly (object | string)[]): string {
    const path = join(this.agent.folder, 'files', name);
    mkdirSync(dirname(path), { recursive: true });
    const texts = content.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    writeFileSync(path, texts.join('\n---\n'));
    return path;
  }

  run(...words: readonly string[]): Promise<CommandResult> {
    return runCommand(words);
  }

  /** Standard output of a command that succeeds, without the newline at its end. */
  async answer(...words: readonly string[]): Promise<string> {
    const { code, output, answer } = await runCommand(words);
    if (code !== 0) throw new Error(`tortie ${words.join(' ')}: exit code ${code}: ${output}`);
    return answer.replace(/\n$/, '');
  }

  /** Another agent in the place of one that was stopped, with its files. */
  async restart(): Promise<void> {
    this.agent = await KernelLessAgent.start({ folder: this.agent.folder });
  }

  async end(): Promise<void> {
    if (this.#socket === undefined) delete process.env.TORTIE_SOCKET;
    else process.env.TORTIE_SOCKET = this.#socket;
    await this.agent.end();
  }
}
