// The last good version of every manifest file, in the state directory: what an agent that starts on a broken file keeps
// in force, and what saves it from parsing files that have not changed since.
//
// A file's text is always believed. What was parsed from it is believed only from an agent that runs the same code.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../base/log.ts';
import { finish, type Steps } from '../base/steps.ts';
import { makeDirectory } from '../kernel/make-directory.ts';
import type { Resource } from '../resources/resource.ts';
import type { ManifestMemory } from '../resources/sources/manifest-set.ts';
import type { RememberedFile } from '../resources/sources/manifest-state.ts';
import { decodeResources, encodeResources } from '../resources/sources/stored-resources.ts';
import { releaseContents } from '../resources/text-resource.ts';
import { codeFingerprint } from './code-fingerprint.ts';
import { RecordLog } from './record-log.ts';

const FORMAT = 'tortie accepted manifests 1';
/** Names the directory once all that a first agent found in it is remembered: from there on what differs has changed. */
const COMPLETE = 'complete';
/** What was accepted is written once it is in force: nobody waits for it. */
const WRITE_DELAY_MS = 20;
/** With more than that to write nobody waits for a change: what they hold is better written down at once. */
const MAX_PENDING = 64;
/** Writing pauses after this long: a first start has thousands of files to remember, and changes must not wait for it. */
const SLICE_MS = 5;

interface Accepted {
  readonly text: string;
  readonly resources: readonly Resource[];
}

export class AcceptedManifests implements ManifestMemory {
  readonly #log: Logger;
  readonly #records: RecordLog;
  readonly #complete: { readonly path: string; readonly text: string };
  readonly #code = codeFingerprint();
  /** Not written yet; undefined = forgotten. */
  readonly #pending = new Map<string, Accepted | undefined>();
  /** Of the text of each file, as last accepted. */
  readonly #digests = new Map<string, string>();
  /** Not to be written before what has changed in them is in history. */
  readonly #guarded = new Map<string, Accepted | undefined>();
  /** Says that history has not got all that was read; undefined = nobody keeps one. */
  readonly #isBehind: () => boolean;
  #isGuarding = false;
  #hasEarlier = false;
  /** Something that was to be written is lost: the next agent must not take its lack for a change. */
  #hasLost = false;
  #recalled: ReadonlyMap<string, RememberedFile> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #revision = 0;

  /** isBehind: what changes in files is not written down for as long as it says so. */
  constructor(
    options: { readonly stateDirectory: string; readonly manifests: string },
    log: Logger,
    isBehind: () => boolean = () => false,
  ) {
    this.#log = log;
    this.#isBehind = isBehind;
    const folder = join(options.stateDirectory, 'accepted');
    makeDirectory(folder);
    // Another directory's manifests are nobody's business.
    this.#complete = { path: join(folder, COMPLETE), text: JSON.stringify(options.manifests) };
    this.#records = new RecordLog(join(folder, 'manifests.log'), `${FORMAT} of ${JSON.stringify(options.manifests)}`);
  }

  recall(): ReadonlyMap<string, RememberedFile> {
    const files = this.#recalled ?? finish(this.recalling());
    this.#recalled = undefined;
    return files;
  }

  /** What the next recall returns, file by file. */
  *recalling(): Steps<ReadonlyMap<string, RememberedFile>> {
    const files = new Map<string, RememberedFile>();
    try {
      const records = yield* this.#records.reading();
      this.#hasEarlier = textOf(this.#complete.path) === this.#complete.text && this.#records.hasRead;
      this.#isGuarding = this.#hasEarlier;
      if (!this.#records.isUsable || this.#records.isWasteful) this.#records.rewrite(records);
      for (const [path, value] of records) {
        files.set(path, decodeFile(path, value, this.#code));
        this.#digests.set(path, digestOfText(textBytes(value)));
        yield;
      }
    } catch (error) {
      this.#log.warn('cannot read what an earlier agent accepted', { error: String(error) });
    }
    this.#recalled = files;
    return files;
  }

  /** An earlier agent has left word of all that it found, be it that there was nothing. */
  get hasEarlier(): boolean {
    return this.#hasEarlier;
  }

  /** History has all that was read: from here on nothing is written before it has. */
  recorded(): void {
    this.#isGuarding = true;
    this.#unguard();
    if (!this.#hasEarlier) this.#timer ??= setTimeout(() => this.#writeSlice(), WRITE_DELAY_MS);
  }

  /** Counts what was accepted and forgotten. */
  get revision(): number {
    return this.#revision;
  }

  /** Of the paths and texts of all files whose last version was accepted; of the others, their last good one. */
  digest(): string {
    return digestOfFiles(this.#digests);
  }

  remember(path: string, text: string, resources: readonly Resource[]): void {
    const digest = digestOfText(text);
    const isChange = this.#digests.get(path) !== digest;
    this.#digests.set(path, digest);
    this.#later(path, { text, resources }, isChange);
  }

  forget(path: string): void {
    const isChange = this.#digests.delete(path);
    this.#later(path, undefined, isChange);
  }

  close(): void {
    if (!this.#isBehind()) this.#unguard();
    clearTimeout(this.#timer);
    this.#write(Number.POSITIVE_INFINITY);
    this.#records.close();
  }

  #later(path: string, accepted: Accepted | undefined, isChange: boolean): void {
    this.#revision += 1;
    if (this.#guarded.has(path) || (this.#isGuarding && isChange)) this.#guarded.set(path, accepted);
    else this.#pending.set(path, accepted);
    if (this.#pending.size > MAX_PENDING) this.#write(Number.POSITIVE_INFINITY);
    this.#timer ??= setTimeout(() => this.#writeSlice(), WRITE_DELAY_MS);
  }

  #writeSlice(): void {
    if (!this.#isBehind()) this.#unguard();
    this.#write(performance.now() + SLICE_MS);
    this.#timer = this.#pending.size === 0 ? undefined : setTimeout(() => this.#writeSlice(), SLICE_MS);
  }

  /** Nothing is left of what the first agent found. */
  #markComplete(): void {
    if (this.#hasEarlier || this.#hasLost || !this.#isGuarding || this.#pending.size > 0) return;
    writeFileSync(this.#complete.path, this.#complete.text, { mode: 0o600 });
    this.#hasEarlier = true;
  }

  #unguard(): void {
    for (const [path, accepted] of this.#guarded) {
      // The latest is written last.
      this.#pending.delete(path);
      this.#pending.set(path, accepted);
    }
    this.#guarded.clear();
    if (this.#pending.size > 0) this.#timer ??= setTimeout(() => this.#writeSlice(), WRITE_DELAY_MS);
  }

  /** Writes what is not written yet, until it is time to stop. */
  #write(endMs: number): void {
    try {
      for (const [path, accepted] of this.#pending) {
        this.#pending.delete(path);
        this.#records.append(path, accepted === undefined ? undefined : encodeFile(accepted, this.#code));
        if (accepted !== undefined) releaseContents(accepted.resources);
        if (performance.now() > endMs) return;
      }
      if (this.#records.isWasteful) this.#records.rewrite(this.#records.read());
      this.#markComplete();
    } catch (error) {
      this.#log.warn('cannot remember manifests for the next start', { error: String(error) });
      this.#hasLost = true;
      this.#pending.clear();
    }
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** u32 length of the fingerprint and it, u32 length of the text and it, then the resources; no bytes = none are stored. */
function encodeFile({ text, resources }: Accepted, code: string): Buffer {
  const parts = [code, text].flatMap((part) => {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([...parts, Buffer.from(encodeResources(text, resources) ?? '')]);
}

/** Of a stored file. */
function textBytes(value: Buffer): Buffer {
  const codeEnd = 4 + value.readUInt32LE(0);
  return value.subarray(codeEnd + 4, codeEnd + 4 + value.readUInt32LE(codeEnd));
}

/** Of a text, or of its bytes in UTF-8. */
export function digestOfText(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Of files by their paths, whatever their order; fastest in that of their paths. */
export function digestOfFiles(digestByPath: ReadonlyMap<string, string>): string {
  const paths = [...digestByPath.keys()].sort();
  return digestOfText(JSON.stringify([paths, paths.map((path) => digestByPath.get(path))]));
}

function decodeFile(path: string, value: Buffer, code: string): RememberedFile {
  const codeEnd = 4 + value.readUInt32LE(0);
  const textEnd = codeEnd + 4 + value.readUInt32LE(codeEnd);
  const text = value.toString('utf8', codeEnd + 4, textEnd);
  const isCurrent = value.toString('utf8', 4, codeEnd) === code;
  const stored = value.subarray(textEnd);
  const resources = (): readonly Resource[] | undefined =>
    isCurrent && stored.length > 0 ? decodeResources(stored.toString('utf8'), text, path) : undefined;
  return { text, resources, isCurrent };
}
