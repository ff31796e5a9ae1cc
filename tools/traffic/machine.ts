// A machine of a traffic test, as typed calls to its step server. How it is reached and started is its carrier's business.
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { DataplaneError } from '../../src/base/errors.ts';
import type { CommandOutput } from '../../src/bench/command.ts';
import { RemoteProcess } from './remote-process.ts';
import type { StepAnswer, StepRequest } from './step-protocol.ts';

/** A step server that has been started: `ended` resolves, with what it had to say, when it is gone. */
export interface Line {
  readonly toServer: Writable;
  readonly fromServer: Readable;
  readonly ended: Promise<string>;
}

/** Starts machines of one kind and ends them. */
export interface Carrier {
  /** The same machines are there after close(), with all that was left in them. */
  readonly isLasting: boolean;
  /** Of a frame's payload on the link between them. */
  readonly largestMtu: number;
  /** Boots it, or goes there: returns once its step server is being started. */
  readonly open: (name: string) => Promise<Line>;
  /** Ends what runs in it as a power cut would and brings it up again. */
  readonly reboot: (name: string, line: Line) => Promise<Line>;
  readonly close: () => Promise<void>;
}

type Waiter = (answer: StepAnswer & { readonly id: number }) => void;
type StartOf<T> = T extends unknown ? Omit<T, 'id'> : never;

const START_LIMIT_MS = 300_000;

export class Machine {
  readonly name: string;
  readonly #carrier: Carrier;
  readonly #waiters = new Map<number, Waiter>();
  #line: Line;
  #nextId = 1;
  #ready = new AbortController();

  private constructor(name: string, carrier: Carrier, line: Line) {
    this.name = name;
    this.#carrier = carrier;
    this.#line = line;
  }

  /** Resolves when its step server answers. Throws KERNEL. */
  static async open(name: string, carrier: Carrier): Promise<Machine> {
    const machine = new Machine(name, carrier, await carrier.open(name));
    await machine.#attend();
    return machine;
  }

  /** Everything that ran in it is gone afterwards, and everything that it kept in memory. Throws KERNEL. */
  async reboot(): Promise<void> {
    this.#line = await this.#carrier.reboot(this.name, this.#line);
    this.#ready = new AbortController();
    await this.#attend();
  }

  /** Output of a program that ended with status 0. Throws KERNEL. */
  async exec(argv: readonly string[], input = ''): Promise<CommandOutput> {
    const { code, stdout, stderr } = await this.run(argv, input);
    if (code === 0) return { stdout, stderr };
    throw this.#error(argv.join(' '), `exit status ${code}: ${stderr.trim() || stdout.trim()}`);
  }

  /** Output and status of a program, whatever it is. Throws KERNEL if it cannot be run. */
  async run(argv: readonly string[], input = ''): Promise<CommandOutput & { readonly code: number | null }> {
    const process = this.spawn(argv);
    let [stdout, stderr] = ['', ''];
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    process.stdin.end(input);
    await new Promise<void>((resolve, reject) => process.once('error', reject).once('close', () => resolve()));
    return { code: process.exitCode, stdout, stderr };
  }

  /** Starts a program. It ends with the machine's step server at the latest. */
  spawn(argv: readonly string[]): RemoteProcess {
    const id = this.#nextId;
    const process = new RemoteProcess({
      input: (text) => this.#send({ id, step: 'input', text }),
      endInput: () => this.#send({ id, step: 'end-input' }),
      kill: (signal) => this.#send({ id, step: 'kill', signal }),
    });
    this.#ask({ step: 'start', argv }, (answer) => {
      if (answer.say === 'stdout' || answer.say === 'stderr') process[answer.say].write(answer.text);
      else if (answer.say === 'exit') process.end(answer.code, answer.signal);
      else if (answer.say === 'failed') process.fail(this.#error(argv.join(' '), answer.why));
    });
    return process;
  }

  /** Replaces a file, with the folders that lead to it. Throws KERNEL. */
  async write(path: string, text: string): Promise<void> {
    await this.#question({ step: 'write', path, text }, path);
  }

  /** What an agent's API answers. Throws KERNEL while no agent listens there. */
  async ask<T>(socket: string, path: string): Promise<T> {
    return JSON.parse(await this.#question({ step: 'ask', socket, path }, path)) as T;
  }

  async #attend(): Promise<void> {
    const { fromServer, toServer, ended } = this.#line;
    createInterface({ input: fromServer }).on('line', (text) => this.#hear(text));
    toServer.on('error', () => {});
    let isReady = false;
    const gone = ended.then((why) => {
      this.#abandon(why);
      if (!isReady) throw this.#error('start', `its step server is gone\n${why}`);
    });
    const ready = new Promise<void>((resolve) => this.#ready.signal.addEventListener('abort', () => resolve()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((_, reject) => {
      timer = setTimeout(
        () => reject(this.#error('start', `not ready after ${START_LIMIT_MS / 1000} s`)),
        START_LIMIT_MS,
      );
    });
    try {
      await Promise.race([ready, gone, late]);
      isReady = true;
    } finally {
      clearTimeout(timer);
      gone.catch(() => {});
    }
  }

  #hear(text: string): void {
    // A console may say something of its own, such as a banner.
    if (!text.startsWith('{')) return;
    const answer = JSON.parse(text) as StepAnswer;
    if (answer.say === 'ready') {
      this.#ready.abort();
      return;
    }
    const waiter = this.#waiters.get(answer.id);
    if (answer.say !== 'stdout' && answer.say !== 'stderr') this.#waiters.delete(answer.id);
    waiter?.(answer);
  }

  #abandon(why: string): void {
    for (const [id, waiter] of this.#waiters) waiter({ id, say: 'failed', why: `the machine is gone: ${why}` });
    this.#waiters.clear();
  }

  #question(request: StartOf<StepRequest>, target: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#ask(request, (answer) => {
        if (answer.say === 'answer') resolve(answer.text);
        else reject(this.#error(target, answer.say === 'failed' ? answer.why : answer.say));
      });
    });
  }

  #ask(request: StartOf<StepRequest>, waiter: Waiter): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#waiters.set(id, waiter);
    this.#send({ ...request, id } as StepRequest);
  }

  #send(request: StepRequest): void {
    this.#line.toServer.write(`${JSON.stringify(request)}\n`);
  }

  #error(target: string, what: string): DataplaneError {
    return new DataplaneError('KERNEL', what, { operation: `in ${this.name}`, target });
  }
}
