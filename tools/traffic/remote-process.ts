// A process in another machine, as far as it is like one of this machine: input, output, end. Carried by machine.ts.
import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';

export interface ProcessControl {
  readonly input: (text: string) => void;
  readonly endInput: () => void;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Emits `close` when it has ended and `error` if it did not start or its machine is gone. */
export class RemoteProcess extends EventEmitter {
  readonly stdin: Writable;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;
  readonly #control: ProcessControl;
  #hasEnded = false;

  constructor(control: ProcessControl) {
    super();
    this.#control = control;
    this.stdin = new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        control.input(String(chunk));
        done();
      },
      final: (done) => {
        control.endInput();
        done();
      },
    });
    // Whoever does not read what it complains about must not hold it up.
    this.stderr.resume();
    // The end of a machine ends its processes, expected or not: who cares listens.
    this.on('error', () => {});
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#hasEnded) this.#control.kill(signal);
  }

  /** For machine.ts alone. */
  end(code: number | null, signal: NodeJS.Signals | null): void {
    this.exitCode = code;
    this.signalCode = signal;
    this.#close();
    this.emit('close', code, signal);
  }

  /** For machine.ts alone. */
  fail(error: Error): void {
    this.#close();
    this.emit('error', error);
    this.emit('close', null, null);
  }

  #close(): void {
    this.#hasEnded = true;
    this.stdout.end();
    this.stderr.end();
  }
}
