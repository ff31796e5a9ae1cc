// One file for each endpoint that is enforced, for whoever waits for that with no more than a look at a directory, as network plugins
// do: it is there from the moment that packets of the interface are judged by policy, and goes before that ends. Like what is in
// force it outlives the agent.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
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

const content = z.object({ interface: z.string(), ifindex: z.number() });
type Left = z.infer<typeof content>;

/** What cannot be written is said once, and keeps nobody from being enforced. */
export class EndpointFiles {
  readonly #directory: string;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  /** Interface by name of the file. */
  readonly #written = new Map<string, number>();
  /** Files of an agent before, by name, until policy is in force; undefined = not such a file. */
  readonly #left = new Map<string, Left | undefined>();
  #told = '';

  /** `isInForce` = the kernel goes on with what an agent before put in force; else nothing that it has left is true any more. */
  constructor(directory: string, log: Pick<Logger, 'warn'>, isInForce: boolean, now = Date.now) {
    this.#directory = directory;
    this.#log = log;
    this.#now = now;
    if (isInForce) this.#try(() => this.#recall());
    else this.#try(() => rmSync(directory, { recursive: true, force: true }));
  }

  /** Takes away the files of all but these. */
  keep(enforced: readonly EnforcedEndpoint[]): void {
    if (this.#left.size > 0) this.#keepLeft(enforced);
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
    if (this.#left.size > 0) this.#takeOver(enforced);
    this.keep(enforced);
    for (const one of enforced) {
      const name = endpointFileName(one.endpoint);
      if (this.#written.get(name) === one.ifindex) continue;
      this.#try(() => {
        this.#write(name, { ...one, since: new Date(this.#now()).toISOString() });
        this.#left.delete(name);
        this.#written.set(name, one.ifindex);
      });
    }
  }

  #recall(): void {
    if (!existsSync(this.#directory)) return;
    for (const name of readdirSync(this.#directory)) this.#left.set(name, readLeft(join(this.#directory, name)));
  }

  /** Those of others may be true still: manifests may not be read yet, or not be understood. */
  #keepLeft(enforced: readonly EnforcedEndpoint[]): void {
    for (const one of enforced) {
      const name = endpointFileName(one.endpoint);
      if (this.#left.has(name) && !isSameInterface(one, this.#left.get(name))) this.#removeLeft(name);
    }
  }

  /** Policy is in force, so that it is known which of them are true. */
  #takeOver(enforced: readonly EnforcedEndpoint[]): void {
    for (const one of enforced) {
      const name = endpointFileName(one.endpoint);
      if (!isSameInterface(one, this.#left.get(name))) continue;
      this.#written.set(name, one.ifindex);
      this.#left.delete(name);
    }
    for (const name of [...this.#left.keys()]) this.#removeLeft(name);
  }

  /** What cannot be removed is tried again the next time. */
  #removeLeft(name: string): void {
    this.#try(() => {
      rmSync(join(this.#directory, name), { recursive: true, force: true });
      this.#left.delete(name);
    });
  }

  /** Never half a file under its name. */
  #write(name: string, told: object): void {
    const path = join(this.#directory, name);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, `${JSON.stringify(told)}\n`, { mode: 0o600 });
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

function readLeft(path: string): Left | undefined {
  try {
    return content.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

function isSameInterface(one: Left, other: Left | undefined): boolean {
  return one.ifindex === other?.ifindex && one.interface === other.interface;
}
