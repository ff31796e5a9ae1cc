// Objects and their changes as they come, line by line, for as long as somebody reads: through restarts of the agent, and
// from the revision that was seen last.
import { setTimeout as sleep } from 'node:timers/promises';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import type { ObjectFormat } from './object-options.ts';
import { formatData, headerOf, qualifiedName, rowOf, type TableStyle } from './object-output.ts';
import { namespaceOf, parseTargets, placeOf } from './object-targets.ts';
import { formatTable, print } from './output.ts';
import { type CollectionRef, ResourceClient, type WatchEvent } from './resource-client.ts';

export interface WatchFlags {
  readonly socket: string;
  readonly manifests?: string;
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly headers: boolean;
  readonly showLabels?: boolean;
  readonly output?: ObjectFormat;
  /** Later than it; what is there is not shown first. */
  readonly since?: string;
  /** A column or field that says what has happened. */
  readonly outputWatchEvents?: boolean;
  readonly timeout?: number;
}

/** How long an agent may be away, for a restart. */
const AWAY_MS = 30_000;
const RETRY_MS = 200;
/** Rows that come one by one are padded to these; a wider one widens its column from there on. */
const MIN_WIDTH = 4;

/** Prints until the time is up, or for good. Throws USAGE when more than one kind is named, and AGENT_UNREACHABLE. */
export async function followObjects(words: readonly string[], flags: WatchFlags): Promise<void> {
  const targets = parseTargets(words);
  const [target] = targets;
  if (
    target === undefined ||
    targets.length > 1 ||
    (target.names ?? []).length > 1 ||
    flags.manifests !== undefined ||
    flags.filename !== undefined
  ) {
    throw new DataplaneError('USAGE', 'one kind of object, or one object, of an agent is watched', {
      operation: 'watch',
      target: words.join(' '),
    });
  }
  const [name] = target.names ?? [];
  const { type } = target;
  const ref = { type, ...placeOf(type, namespaceOf(flags, name !== undefined)) };
  const fieldSelector = [flags.fieldSelector, name && `metadata.name=${name}`].filter((text) => text).join(',');
  const style: TableStyle = {
    isWide: flags.output?.kind === 'wide',
    hasNamespaces: flags.allNamespaces === true,
    hasLabels: flags.showLabels === true,
    hasHeaders: flags.headers,
    hasKinds: false,
  };
  const printer = new EventPrinter(ref, flags, style);
  const selectors = { labelSelector: flags.selector, ...(fieldSelector === '' ? {} : { fieldSelector }) };
  await new Follower(new ResourceClient(flags.socket), ref, selectors, (event) => printer.print(event)).follow(flags);
}

class Follower {
  readonly #client: ResourceClient;
  readonly #ref: CollectionRef;
  readonly #selectors: { readonly labelSelector?: string; readonly fieldSelector?: string };
  readonly #use: (event: WatchEvent) => Promise<void>;
  #last: string | undefined;

  constructor(
    client: ResourceClient,
    ref: CollectionRef,
    selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
    use: (event: WatchEvent) => Promise<void>,
  ) {
    this.#client = client;
    this.#ref = ref;
    this.#selectors = selectors;
    this.#use = use;
  }

  async follow({ since, timeout }: Pick<WatchFlags, 'since' | 'timeout'>): Promise<void> {
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1000;
    this.#last = since ?? (await this.#list());
    let awaySince = Number.POSITIVE_INFINITY;
    while (Date.now() < end) {
      try {
        await this.#watch(end);
        awaySince = Number.POSITIVE_INFINITY;
      } catch (error) {
        if (!(error instanceof DataplaneError)) throw error;
        if (error.code === 'REVISION_GONE' && since === undefined) this.#last = await this.#list();
        else if (error.code !== 'AGENT_UNREACHABLE') throw error;
        awaySince = Math.min(awaySince, Date.now());
        if (Date.now() - awaySince > AWAY_MS) throw error;
      }
      if (Date.now() < end) await sleep(RETRY_MS);
    }
  }

  async #list(): Promise<string> {
    const { items, resourceVersion } = await this.#client.list(this.#ref, this.#selectors);
    for (const object of items) await this.#use({ type: 'ADDED', object });
    return resourceVersion;
  }

  async #watch(end: number): Promise<void> {
    const timeoutSeconds = Number.isFinite(end) ? Math.max(1, Math.ceil((end - Date.now()) / 1000)) : undefined;
    const options = { ...this.#selectors, resourceVersion: this.#last, timeoutSeconds };
    for await (const event of this.#client.watch(this.#ref, options)) {
      const version = versionOf(event.object);
      // What a file defines was in the list.
      if (event.type !== 'BOOKMARK' && version !== undefined) await this.#use(event);
      this.#last = version ?? this.#last;
    }
  }
}

class EventPrinter {
  readonly #ref: CollectionRef;
  readonly #flags: WatchFlags;
  readonly #style: TableStyle;
  #widths: number[] = [];

  constructor(ref: CollectionRef, flags: WatchFlags, style: TableStyle) {
    this.#ref = ref;
    this.#flags = flags;
    this.#style = style;
  }

  async print({ type, object }: WatchEvent): Promise<void> {
    const { output: format = { kind: 'table' }, outputWatchEvents = false } = this.#flags;
    if (format.kind === 'name') print(qualifiedName(object));
    else if (format.kind === 'jsonpath') process.stdout.write(await formatData(object, format));
    else if (format.kind === 'json') print(JSON.stringify(outputWatchEvents ? { type, object } : object));
    else if (format.kind === 'yaml')
      print(`---\n${await formatData(outputWatchEvents ? { type, object } : object, format)}`);
    else this.#printRow(type, object);
  }

  #printRow(event: string, object: Manifest): void {
    const { type } = this.#ref;
    const extra = (text: string): string[] =>
      this.#flags.outputWatchEvents === true ? [text.padEnd('MODIFIED'.length)] : [];
    const row = [...extra(event), ...rowOf(type, object, this.#style)];
    const isFirst = this.#widths.length === 0;
    const header = [...extra('EVENT'), ...headerOf(type, this.#style)];
    const lines = isFirst && this.#style.hasHeaders ? [header, row] : [row];
    this.#widths = header.map((title, column) =>
      Math.max(MIN_WIDTH, this.#widths[column] ?? title.length, row[column]?.length ?? 0),
    );
    const padded = lines.map((cells) => cells.map((cell, column) => cell.padEnd(this.#widths[column] as number)));
    const [head = [], ...rest] = padded;
    print(formatTable(head, rest));
  }
}

/** undefined for what has none, and for objects of files. */
function versionOf({ metadata }: Manifest): string | undefined {
  const version = isPlain(metadata) ? metadata.resourceVersion : undefined;
  return typeof version === 'string' && version !== '0' ? version : undefined;
}
