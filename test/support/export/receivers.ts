// Programs of others that take what exporters send: collectors of IPFIX, syslog daemons, the journal. All on loopback.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 15_000;

/** Throws an Error with what the program said. */
export function run(command: string, args: readonly string[], input?: string | Uint8Array): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Of both protocols nobody has it at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => socket.close(resolve));
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isSo(); await sleep(50)) {
    if (Date.now() > end) throw new Error(`not in ${PATIENCE_MS / 1000} s: ${what}`);
  }
}

/** Ends with the test. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #name: string;
  #said = '';

  constructor(command: string, args: readonly string[]) {
    this.#name = command;
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk) => (this.#said += chunk));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ready(isReady: () => boolean): Promise<void> {
    await until(() => isReady() || !this.isAlive, `${this.#name} is ready: ${this.#said}`);
    if (!this.isAlive) throw new Error(`${this.#name} has ended: ${this.#said}`);
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    if (!this.isAlive) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}

/** Whether somebody of the process's network namespace, or of this one, has the UDP port. */
export function isUdpBound(port: number, pid: number | 'self' = 'self'): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync(`/proc/${pid}/net/udp`, 'utf8').includes(`:${hex} `);
}

/** A flow as nfdump prints it. */
export interface NfdumpFlow {
  readonly src4_addr?: string;
  readonly dst4_addr?: string;
  readonly src6_addr?: string;
  readonly src_port: number;
  readonly dst_port: number;
  readonly proto: number;
  readonly in_packets: number;
  readonly in_bytes: number;
  readonly out_packets?: number;
  readonly out_bytes?: number;
  /** 0 = into, 1 = out of where it was seen. */
  readonly direction?: number;
  readonly tcp_flags?: string;
  readonly first?: string;
  readonly last?: string;
}

/** nfcapd, a collector of NetFlow and IPFIX; `enter` makes its command one that runs in another network namespace. */
export async function startNfcapd(
  folder: string,
  port: number,
  enter = (argv: readonly string[]) => [...argv],
): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const buffer = String(4 * 1024 * 1024);
  const options = { '-w': folder, '-b': '127.0.0.1', '-p': String(port), '-B': buffer, '-t': '3600' };
  const [command = '', ...args] = enter(['nfcapd', ...Object.entries(options).flat()]);
  const daemon = new Daemon(command, args);
  await daemon.ready(() => isUdpBound(port, daemon.pid));
  return daemon;
}

export function readNfcapd(folder: string): NfdumpFlow[] {
  return JSON.parse(run('nfdump', ['-R', folder, '-o', 'json'])) as NfdumpFlow[];
}

/** A message as rsyslogd has understood it. */
export interface SyslogLine {
  readonly host: string;
  readonly app: string;
  readonly process: string;
  readonly id: string;
  readonly facility: string;
  readonly severity: string;
  readonly time: string;
  readonly message: string;
}

/** rsyslogd on one port for UDP and TCP, and on a socket; what it takes is in `lines.json`. */
export async function startRsyslogd(folder: string, port: number): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'log');
  const properties = {
    host: 'hostname',
    app: 'app-name',
    process: 'procid',
    id: 'msgid',
    facility: 'syslogfacility-text',
    severity: 'syslogseverity-text',
    message: 'msg',
  };
  const lines = Object.entries(properties).map(
    ([name, property]) => `property(outname="${name}" name="${property}" format="jsonf")`,
  );
  const parts = [...lines, 'property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")'];
  const between = 'constant(value=",")';
  writeFileSync(
    join(folder, 'rsyslog.conf'),
    `global(workDirectory="${folder}" maxMessageSize="16k")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="${port}" rcvbufSize="4m")
input(type="imtcp" address="127.0.0.1" port="${port}")
input(type="imuxsock" socket="${socket}")
template(name="json" type="list") { constant(value="{") ${parts.join(` ${between} `)} constant(value="}\\n") }
action(type="omfile" file="${join(folder, 'lines.json')}" template="json" flushOnTXEnd="on")
`,
  );
  const daemon = new Daemon('rsyslogd', ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')]);
  await daemon.ready(() => isUdpBound(port) && existsSync(socket));
  return daemon;
}

export function readRsyslogd(folder: string): SyslogLine[] {
  const file = join(folder, 'lines.json');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SyslogLine);
}

/** systemd-journald in mounts of its own: its sockets and files are below the folder. */
export async function startJournald(folder: string): Promise<Daemon> {
  mkdirSync(join(folder, 'log/journal'), { recursive: true });
  const script = `mount --bind '${folder}' /run && exec /lib/systemd/systemd-journald`;
  const daemon = new Daemon('unshare', ['--mount', 'sh', '-c', script]);
  await daemon.ready(() => existsSync(journalSocket(folder)));
  return daemon;
}

export function journalSocket(folder: string): string {
  return join(folder, 'systemd/journal/socket');
}

/** Entries of a syslog identifier, by field. */
export function readJournal(folder: string, identifier: string): Record<string, string>[] {
  const place = ['--directory', join(folder, 'log/journal')];
  const text = run('journalctl', [...place, '--quiet', '--output', 'json', '--identifier', identifier]);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, string>);
}
