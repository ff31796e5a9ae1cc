// One file for each endpoint that is enforced, for whoever waits for that with no more than a look at a directory, as network plugins
// do: it is there from the moment that packets of the interface are judged by policy, and goes before that ends.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/log.ts';

export interface EnforcedEndpoint {
  /** `<namespace>/<name>`. */
  readonly endpoint: string;
  readonly interface: string;
  /** Tells the interface from another one of that name. */
  readonly ifindex: number;
}

/** Beside the socket: the agents of a machine are told apart by it. */
export function endpointDirectory(socket: string): string {
  return `${socket.replace(/\.sock$/, '')}.endpoints`;
}

/** No name can have a `_` that is not encoded: what is before it is the namespace. */
export function endpointFileName(endpoint: string): string {
  const encode = (part: string): string => encodeURIComponent(part).replaceAll('_', '%5F');
  return `${endpoint.split('/').map(encode).join('_')}.json`;
}

/** What cannot be written is said once, and keeps nobody from being enforced. */
export class EndpointFiles {
  readonly #directory: string;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  /** Interface by name of the file. */
  readonly #written = new Map<string, number>();
  #told = '';

  /** What an agent before has left goes: this one has seen nothing enforced yet. */
  constructor(directory: string, log: Pick<Logger, 'warn'>, now = Date.now) {
    this.#directory = directory;
    this.#log = log;
    this.#now = now;
    this.#try(() => rmSync(directory, { recursive: true, force: true }));
  }

  /** Takes away the files of all but these. */
  keep(enforced: readonly EnforcedEndpoint[]): void {
    if (this.#written.size === 0) return;
    const kept = new Map(enforced.map(({ endpoint, ifindex }) => [endpointFileName(endpoint), ifindex]));
    for (const [name, ifindex] of this.#written) {
      if (kept.get(name) === ifindex) continue;
      this.#try(() => {
        rmSync(join(this.#directory, name), { force: true });
        this.#written.delete(name);
      });
    }
  }

  /** Policy in force is that of these, and of no others. */
  tell(enforced: readonly EnforcedEndpoint[]): void {
    this.keep(enforced);
    for (const one of enforced) {
      const name = endpointFileName(one.endpoint);
      if (this.#written.get(name) === one.ifindex) continue;
      this.#try(() => {
        this.#write(name, { ...one, since: new Date(this.#now()).toISOString() });
        this.#written.set(name, one.ifindex);
      });
    }
  }

  /** Never half a file under its name. */
  #write(name: string, content: object): void {
    const path = join(this.#directory, name);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #try(work: () => void): void {
    try {
      work();
      this.#told = '';
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      if (code !== this.#told) this.#log.warn('files of enforced endpoints cannot be kept', { error: String(error) });
      this.#told = code;
    }
  }
}
