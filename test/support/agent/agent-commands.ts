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

  /** A command that goes on: `said` resolves when its standard output has the text, `answer` is that of a command that succeeds. */
  follow(...words: readonly string[]): { said: (text: string) => Promise<void>; answer: Promise<string> } {
    let soFar = '';
    const waiting = new Set<() => void>();
    const result = runCommand(words, (text) => {
      soFar = text;
      for (const look of waiting) look();
    });
    const said = async (text: string): Promise<void> => {
      const found = new Promise<void>((resolve) => {
        const look = (): void => {
          if (soFar.includes(text)) resolve();
        };
        waiting.add(look);
        look();
      });
      const ended = result.then(() => {
        if (!soFar.includes(text)) throw new Error(`tortie ${words.join(' ')} has ended without: ${text}`);
      });
      await Promise.race([found, ended]);
    };
    const answer = result.then((done) => answerOf(words, done));
    // It may fail before anybody asks how it went.
    answer.catch(() => undefined);
    return { said, answer };
  }

  /** Standard output of a command that succeeds, without the newline at its end. */
  async answer(...words: readonly string[]): Promise<string> {
    return answerOf(words, await runCommand(words));
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

function answerOf(words: readonly string[], { code, output, answer }: CommandResult): string {
  if (code !== 0) throw new Error(`tortie ${words.join(' ')}: exit code ${code}: ${output}`);
  return answer.replace(/\n$/, '');
}
