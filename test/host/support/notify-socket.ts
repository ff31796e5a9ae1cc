// A service manager's ear: a unix datagram socket that keeps what it is told. Perl, which every Debian has, listens, because Node
// has no such sockets.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';

/** Says `bound`, then one line of JSON text for each datagram. */
const LISTEN = `
use Socket; $| = 1;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($s, sockaddr_un($ARGV[0])) or die $!;
print "bound\\n";
while (defined recv($s, my $m, 65536, 0)) { $m =~ s/\\n/\\\\n/g; $m =~ s/"/\\\\"/g; print "\\"$m\\"\\n"; }
`;

export class NotifySocket {
  readonly path: string;
  readonly messages: string[] = [];
  readonly #child: ChildProcess;

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.#child = child;
  }

  /** It ends with the lab at the latest. Throws an ordinary Error when perl cannot listen there. */
  static async open(lab: Lab, path: string): Promise<NotifySocket> {
    const child = lab.spawn(HOST, ['perl', '-e', LISTEN, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const socket = new NotifySocket(path, child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [first] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown];
    if (first !== 'bound') throw new Error(`perl does not listen on ${path}`);
    lines.on('line', (line) => socket.messages.push(JSON.parse(line) as string));
    return socket;
  }

  /** What was told but for pings, each message by its first word. */
  get events(): string[] {
    return this.messages.flatMap((message) =>
      message.startsWith('WATCHDOG') ? [] : (message.split('=', 1)[0] as string),
    );
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
