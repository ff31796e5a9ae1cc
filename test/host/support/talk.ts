// Two processes with one TCP connection between them, of which one end talks and the other listens, and what each end's socket
// says in the end. What it ought to say is not known here.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Lab } from '../../../tools/lab/namespaces.ts';

/** Both run this; the first word says which is which. Each says one word a line. */
const PROGRAM = `
  const { connect, createServer } = require('node:net');
  const [role, address, port, talks] = process.argv.slice(1);
  const say = (word) => process.stdout.write(word + '\\n');
  const use = (socket) => {
    say('connected');
    socket.on('error', (error) => say(error.code)).on('end', () => say('end')).resume();
    if (talks === 'yes') setInterval(() => socket.destroyed || socket.write('word'), 50);
    if (talks === 'keepalive') socket.setKeepAlive(true, 1000);
  };
  if (role === 'server') {
    const server = createServer(use).listen(Number(port), address, () => say('ready'));
  } else {
    const socket = connect(Number(port), address, () => use(socket));
  }
`;

class End {
  readonly #child: ChildProcess;
  readonly #words: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(lab: Lab, place: string, argv: readonly string[]) {
    const words = [process.execPath, '--eval', PROGRAM, '--', ...argv];
    this.#child = lab.spawn(place, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (word) => {
      this.#words.push(word);
      for (const wake of this.#waiting) wake();
    });
  }

  /** The word of that number, or `nothing` after so many ms. */
  async word(number: number, timeoutMs: number): Promise<string> {
    if (this.#words.length <= number) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#waiting.add(() => {
          if (this.#words.length <= number) return;
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#words[number] ?? 'nothing';
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

export interface TalkSpec {
  readonly client: string;
  readonly server: string;
  readonly address: string;
  readonly port: number;
  readonly talker: 'client' | 'server';
  /** The talker sends nothing but a keepalive each second. */
  readonly isIdle?: boolean;
}

const START_MS = 10_000;

export class Talk {
  readonly #client: End;
  readonly #server: End;

  private constructor(client: End, server: End) {
    this.#client = client;
    this.#server = server;
  }

  /** Once both ends are connected. Throws an ordinary Error if they do not get that far. */
  static async open(lab: Lab, { client, server, address, port, talker, isIdle }: TalkSpec): Promise<Talk> {
    const words = isIdle ? 'keepalive' : 'yes';
    const argv = (role: 'client' | 'server') => [role, address, String(port), talker === role ? words : 'no'];
    const listening = new End(lab, server, argv('server'));
    if ((await listening.word(0, START_MS)) !== 'ready') throw new Error('server: does not listen');
    const talk = new Talk(new End(lab, client, argv('client')), listening);
    const said = await Promise.all([talk.#client.word(0, START_MS), listening.word(1, START_MS)]);
    if (said.join() === 'connected,connected') return talk;
    talk.close();
    throw new Error(`no connection: ${said.join()}`);
  }

  /** What client and server say next; `nothing` if that takes longer than so many ms. */
  async said(timeoutMs: number): Promise<readonly [client: string, server: string]> {
    return Promise.all([this.#client.word(1, timeoutMs), this.#server.word(2, timeoutMs)]);
  }

  close(): void {
    this.#client.close();
    this.#server.close();
  }
}
