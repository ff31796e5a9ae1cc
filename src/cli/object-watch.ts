// Objects and their changes as they come, line by line. How they are followed through restarts of the agent is in
// object-follower.ts.
import type { Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import { cellsOf } from './custom-columns.ts';
import { Follower } from './object-follower.ts';
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
  const followed = { ref, selectors, ...(flags.since === undefined ? {} : { since: flags.since }) };
  const client = new ResourceClient(flags.socket);
  await new Follower(client, followed, (event) => printer.print(event)).follow(flags.timeout);
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
    const extra = (text: string): string[] =>
      this.#flags.outputWatchEvents === true ? [text.padEnd('MODIFIED'.length)] : [];
    const row = [...extra(event), ...this.#cells(object)];
    const isFirst = this.#widths.length === 0;
    const header = [...extra('EVENT'), ...this.#titles()];
    const lines = isFirst && this.#style.hasHeaders ? [header, row] : [row];
    this.#widths = header.map((title, column) =>
      Math.max(MIN_WIDTH, this.#widths[column] ?? title.length, row[column]?.length ?? 0),
    );
    const padded = lines.map((cells) => cells.map((cell, column) => cell.padEnd(this.#widths[column] as number)));
    const [head = [], ...rest] = padded;
    print(formatTable(head, rest));
  }

  #cells(object: Manifest): readonly string[] {
    const { output } = this.#flags;
    if (output?.kind === 'custom-columns') return cellsOf(object, output.columns);
    return rowOf(this.#ref.type, object, this.#style);
  }

  #titles(): readonly string[] {
    const { output } = this.#flags;
    if (output?.kind === 'custom-columns') return output.columns.map(({ title }) => title);
    return headerOf(this.#ref.type, this.#style);
  }
}
