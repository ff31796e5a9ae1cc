// What systemd is told of a service of Type=notify (sd_notify(3)): ready, reloading, stopping, a line of text, and that the
// event loop still turns. Says nothing where nobody asked.
import type { Logger } from '../base/log.ts';
import { loadNative } from '../kernel/native.ts';
import type { Environment } from './config/environment.ts';

/** Sends one message. Throws when it cannot be delivered. */
export type Send = (message: string) => void;

export class Notifier {
  readonly #send: Send | undefined;
  readonly #log: Logger;
  readonly #watchdogMs: number | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #status = '';
  #hasFailed = false;

  /** send undefined = nobody asked. watchdogMs = the service manager's patience. */
  constructor(send: Send | undefined, watchdogMs: number | undefined, log: Logger) {
    this.#send = send;
    this.#log = log;
    this.#watchdogMs = watchdogMs;
  }

  /** Goes by NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
  static fromEnvironment(environment: Environment, log: Logger): Notifier {
    const { NOTIFY_SOCKET: socket } = environment;
    const send =
      socket === undefined || socket === ''
        ? undefined
        : (message: string) => loadNative().sendDatagram(socket, Buffer.from(message));
    return new Notifier(send, watchdogMsOf(environment, process.pid), log);
  }

  /** Starts to tell that the event loop turns, at half the time that the service manager allows for it. */
  startWatchdog(): void {
    if (this.#watchdogMs === undefined || this.#send === undefined) return;
    this.#tell('WATCHDOG=1');
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / 2);
  }

  /** The line that `systemctl status` shows; told when it is another one than before. */
  status(text: string): void {
    if (text === this.#status) return;
    this.#status = text;
    this.#tell(`STATUS=${text}`);
  }

  /** Start or reload has ended: what was accepted is in force. */
  ready(text: string): void {
    this.#status = text;
    this.#tell(`READY=1\nSTATUS=${text}`);
  }

  /** To be followed by ready. */
  reloading(): void {
    const monotonicUs = process.hrtime.bigint() / 1000n;
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${monotonicUs}`);
  }

  /** The start goes on and needs so much more time. */
  extendStart(ms: number): void {
    this.#tell(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms * 1000)}`);
  }

  /** The watchdog is told to the end: letting go takes time too. */
  stopping(text: string): void {
    this.#status = text;
    this.#tell(`STOPPING=1\nSTATUS=${text}`);
  }

  close(): void {
    clearInterval(this.#watchdog);
  }

  /** Nobody's verdict depends on it: what goes wrong is logged once. */
  #tell(message: string): void {
    try {
      this.#send?.(message);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#log.warn('the service manager cannot be told', { error: String(error) });
      this.#hasFailed = true;
    }
  }
}

/** undefined = no watchdog, or another process's. */
export function watchdogMsOf(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: usec = '', WATCHDOG_PID: watched = '' } = environment;
  if (!/^[1-9]\d*$/.test(usec) || (watched !== '' && watched !== String(pid))) return undefined;
  return Number(usec) / 1000;
}
