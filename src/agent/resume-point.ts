// What an agent leaves behind once all is quiet, so that the next one knows at once whether the kernel still enforces what
// the manifests say: digests of what was read, of what read it, and of what came of it in the kernel. Written only while
// all of that holds, and gone before anything of it changes.
//
// Nothing here is believed on its own: every digest is taken anew at the start, from the files and the maps themselves.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../base/log.ts';
import type { DesiredState, PolicyList } from '../calc/resolved.ts';
import type { Wiring } from '../kernel/wiring.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { Direction } from '../model/policy.ts';
import { listManifests } from '../resources/sources/manifest-files.ts';
import { digestOfFiles, digestOfText } from './accepted-manifests.ts';
import { codeFingerprint, ENFORCING_FOLDERS } from './code-fingerprint.ts';
import { DirectoryAlarm } from './directory-alarm.ts';
import type { AgentOptions } from './options.ts';
import { storeStamp } from './store/resource-store.ts';

/** All that holds at one moment in which nothing is under way and nothing was refused. */
export interface SettledState {
  /** Digest of the paths and texts of all manifests. */
  readonly manifests: string;
  /** How many objects they define. */
  readonly objects: number;
  /** Of what judges packets: Dataplane.policyFingerprint. */
  readonly policy: string;
  readonly endpoints: DesiredState['endpoints'];
  readonly wiring: Wiring;
}

/** What policy is tied to now; with `isHostPoliced` interfaces are listed whatever the state asks for. */
export type Wire = (desired: DesiredState, isHostPoliced: boolean) => Wiring;

/** What an earlier agent left and what was found to hold, until the manifests are loaded. */
export class Resumption {
  readonly objects: number;
  /** The local endpoints, without their policy: that is in the kernel only. */
  readonly desired: DesiredState;
  /** Interfaces of the host have policy. */
  readonly isHostPoliced: boolean;
  readonly #wiring: string;
  readonly #alarm: DirectoryAlarm;
  #isWired = true;

  constructor(objects: number, desired: DesiredState, wiring: Wiring, alarm: DirectoryAlarm) {
    this.objects = objects;
    this.desired = desired;
    this.isHostPoliced = wiring.interfaces.length > 0;
    this.#wiring = JSON.stringify(wiring);
    this.#alarm = alarm;
  }

  /** No manifest has been touched, no endpoint has moved and no interface of a host with policy has changed since. */
  get holds(): boolean {
    return this.#isWired && !this.#alarm.hasRung;
  }

  /** What policy is to be tied to now. */
  noteWiring(wiring: Wiring): void {
    this.#isWired &&= JSON.stringify(wiring) === this.#wiring;
  }

  close(): void {
    this.#alarm.close();
  }
}

type LocalEndpoint = readonly [string, WorkloadEndpoint];

const stored = z.object({
  made: z.string(),
  manifests: z.string(),
  store: z.string(),
  objects: z.number(),
  policy: z.string(),
  endpoints: z.array(z.tuple([z.string(), z.record(z.string(), z.unknown())])),
  isHostPoliced: z.boolean(),
  wiring: z.string(),
});

const FILE = 'settled.json';
/** Without a change before the state is settled: to describe it takes tens of milliseconds, which no change may wait for. */
const QUIET_MS = 3000;

export class ResumePoint {
  readonly #path: string;
  readonly #options: AgentOptions;
  readonly #log: Logger;
  /** By what code and with which settings the state is made. */
  readonly #made: string;
  /** A file may be there. */
  #mayBeThere = true;
  /** It could not be removed, which has been said. */
  #isStuck = false;
  #timer: NodeJS.Timeout | undefined;
  #describe: () => SettledState | undefined = () => undefined;

  constructor(options: AgentOptions, log: Logger) {
    const { manifests, node, sizes, limits, stateDirectory } = options;
    this.#path = join(stateDirectory, FILE);
    this.#options = options;
    this.#log = log;
    const settings = JSON.stringify({ manifests, node, sizes, limits });
    this.#made = createHash('sha256').update(codeFingerprint(ENFORCING_FOLDERS)).update(settings).digest('base64url');
  }

  /**
   * What was left, if all of it still holds: what the kernel enforces, what it is tied to, the store's file, and every
   * manifest, which are all read for that. undefined = start in the ordinary way.
   */
  read(policy: string | undefined, wire: Wire): Resumption | undefined {
    const found = stored.safeParse(readJson(this.#path));
    if (!found.success) return undefined;
    const { made, manifests, objects, endpoints, isHostPoliced } = found.data;
    if (made !== this.#made || policy === undefined || policy !== found.data.policy) return undefined;
    const desired = withoutPolicy(endpoints as unknown as readonly LocalEndpoint[]);
    const wiring = wire(desired, isHostPoliced);
    if (found.data.wiring !== JSON.stringify(wiring)) return undefined;
    if (found.data.store !== storeStamp(this.#options.stateDirectory)) return undefined;
    // Watched first and read then, so that nothing changes unseen in between.
    const alarm = this.#watch();
    if (alarm === undefined) return undefined;
    if (manifests === this.#digestOfDirectory()) return new Resumption(objects, desired, wiring, alarm);
    alarm.close();
    return undefined;
  }

  /** Writes what describe returns once nothing has asked for it for a while; undefined = it is not the moment. */
  writeSoon(describe: () => SettledState | undefined): void {
    this.#describe = describe;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#write(), QUIET_MS).unref();
  }

  /** The state is written down, as far as this agent knows. */
  get isThere(): boolean {
    return this.#mayBeThere;
  }

  /**
   * To be called before anything changes that the state speaks of. A file that cannot be removed is no reason to keep a
   * change from being in force: the next agent takes every digest anew before it believes it.
   */
  clear(): void {
    if (!this.#mayBeThere) return;
    try {
      rmSync(this.#path, { force: true });
      this.#mayBeThere = false;
    } catch (error) {
      if (!this.#isStuck) this.#log.warn('cannot take back the word for the next start', { error: String(error) });
      this.#isStuck = true;
    }
  }

  /** Writes at once what is due. */
  close(): void {
    if (this.#timer !== undefined) this.#write();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const state = this.#describe();
      if (state === undefined) return;
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#encode(state)), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#mayBeThere = true;
      this.#isStuck = false;
    } catch (error) {
      this.#log.warn('cannot leave word for the next start', { error: String(error) });
    }
  }

  #encode({ manifests, objects, policy, endpoints, wiring }: SettledState): z.infer<typeof stored> {
    const local = [...endpoints].map(([key, { endpoint }]): LocalEndpoint => [key, endpoint]);
    return {
      made: this.#made,
      manifests,
      store: storeStamp(this.#options.stateDirectory),
      objects,
      policy,
      endpoints: local as unknown as z.infer<typeof stored>['endpoints'],
      isHostPoliced: wiring.interfaces.length > 0,
      wiring: JSON.stringify(wiring),
    };
  }

  #watch(): DirectoryAlarm | undefined {
    const { manifests, limits } = this.#options;
    try {
      return new DirectoryAlarm(listManifests(manifests, limits.manifests.files).directories.map(({ path }) => path));
    } catch {
      return undefined;
    }
  }

  /** undefined = something cannot be read, or may change without a sign of it. */
  #digestOfDirectory(): string | undefined {
    const { manifests, limits } = this.#options;
    const { files, errors, hasLinks } = listManifests(manifests, limits.manifests.files);
    if (errors.length > 0 || hasLinks) return undefined;
    const digests = new Map<string, string>();
    try {
      for (const { path } of files) digests.set(path, digestOfText(readFileSync(join(manifests, path))));
    } catch {
      return undefined;
    }
    return digestOfFiles(digests);
  }
}

function withoutPolicy(endpoints: readonly LocalEndpoint[]): DesiredState {
  const list = (direction: Direction): PolicyList => ({ direction, tiers: [], profiles: [] });
  const [ingress, egress] = [list('ingress'), list('egress')];
  return {
    endpoints: new Map(endpoints.map(([key, endpoint]) => [key, { endpoint, ingress, egress }])),
    hostEndpoints: new Map(),
    hostSettings: new Map(),
    prefixes: new Map(),
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
