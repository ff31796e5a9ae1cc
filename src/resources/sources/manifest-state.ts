// What one manifest file has in force, and whether a new reading of it is believed. Pure decisions; the clock is an
// argument. Files are written by people and editors while we read, so that what is missing may just not be there yet.
import type { DataplaneError } from '../../base/errors.ts';
import { type ParsedDocuments, parseDocuments } from '../document.ts';
import type { Resource } from '../resource.ts';

/** Told of the resources of a file that an earlier process accepted, and that are not checked again. */
export type ResourceUse = (ofFile: readonly Resource[]) => void;

/** Further checks of a resource, e.g. those that need the model. */
export type ResourceCheck = (resource: Resource) => readonly DataplaneError[];

export interface GracePeriods {
  /** How long a vanished file's objects stay: editors replace files by deleting and creating them. */
  readonly vanishedMs: number;
  /** How long a file that lost content without an error is taken for half-written. */
  readonly truncatedMs: number;
}

/** State of a file that is or was there. `heldSinceMs` set = what was last seen of it is not believed yet. */
export interface ManifestState {
  readonly stamp: string;
  readonly text: string;
  readonly resources: readonly Resource[];
  readonly errors: readonly DataplaneError[];
  readonly heldSinceMs?: number;
  /** Stamp of the content that is not believed yet; undefined = the file is missing. */
  readonly heldStamp?: string;
}

/** What an earlier process accepted of a file. */
export interface RememberedFile {
  readonly text: string;
  /** What the text was found to define; undefined = it must be parsed and checked again. */
  readonly resources: () => readonly Resource[] | undefined;
  /** false = to be remembered again even if the text is the same. */
  readonly isCurrent: boolean;
}

/**
 * The state of a file that an earlier process accepted: what stays in force should the file be broken by now. `accept` is
 * told of what is taken without a check.
 */
export function recallReading(
  path: string,
  { text, resources }: RememberedFile,
  check: ResourceCheck | undefined,
  accept?: ResourceUse,
): ManifestState {
  const stored = resources();
  if (stored !== undefined) accept?.(stored);
  const known = stored ?? checkResources(parseDocuments(text, path), check, []).resources;
  return { stamp: '', text, resources: known, errors: [] };
}

/** The state after the file was read. */
export function acceptReading(
  before: ManifestState | undefined,
  reading: { readonly path: string; readonly stamp: string; readonly text: string },
  check: ResourceCheck | undefined,
  nowMs: number,
  grace: GracePeriods,
): ManifestState {
  const { path, stamp, text } = reading;
  if (before !== undefined && before.resources.length > 0 && looksHalfWritten(before.text, text)) {
    const sinceMs = before.heldStamp === stamp ? (before.heldSinceMs ?? nowMs) : nowMs;
    if (nowMs - sinceMs < grace.truncatedMs) return { ...before, heldSinceMs: sinceMs, heldStamp: stamp };
  }
  if (before?.errors.length === 0 && before.text === text)
    // Its resources are made of the text that was there before: one of the two is enough.
    return { stamp, text: before.text, resources: before.resources, errors: [] };
  const known = before?.errors.length === 0 ? before : undefined;
  const parsed = checkResources(parseDocuments(text, path, known), check, known?.resources ?? []);
  return { stamp, text, resources: keepRefused(before, parsed), errors: parsed.errors };
}

/** The state after the file was found missing; undefined = it is gone for good. */
export function acceptMissing(before: ManifestState, nowMs: number, grace: GracePeriods): ManifestState | undefined {
  const sinceMs = before.heldStamp === undefined ? (before.heldSinceMs ?? nowMs) : nowMs;
  if (nowMs - sinceMs >= grace.vanishedMs) return undefined;
  return { ...before, heldSinceMs: sinceMs, heldStamp: undefined };
}

/** The state after the file could not be read: what it had stays. */
export function acceptUnreadable(
  before: ManifestState | undefined,
  stamp: string,
  error: DataplaneError,
): ManifestState {
  return { stamp, text: before?.text ?? '', resources: before?.resources ?? [], errors: [error] };
}

/** Empty, or a beginning of what was there, or cut inside its last line. */
function looksHalfWritten(before: string, now: string): boolean {
  if (now.trim() === '') return true;
  if (now.length >= before.length) return false;
  return before.startsWith(now) || (before.endsWith('\n') && !now.endsWith('\n'));
}

/** `accepted` are known to pass. */
function checkResources(
  parsed: ParsedDocuments,
  check: ResourceCheck | undefined,
  accepted: readonly Resource[],
): ParsedDocuments {
  if (check === undefined) return parsed;
  const known = new Set(accepted);
  const errors = [...parsed.errors];
  const refused = [...parsed.refused];
  const resources = parsed.resources.filter((resource) => {
    if (known.has(resource)) return true;
    const found = check(resource);
    errors.push(...found);
    if (found.length > 0) refused.push(resource.id);
    return found.length === 0;
  });
  return { ...parsed, resources, errors, refused };
}

/** A refused object stays as it last was. A file that cannot be made out stays as it was altogether. */
function keepRefused(before: ManifestState | undefined, parsed: ParsedDocuments): readonly Resource[] {
  if (before === undefined || before.resources.length === 0) return parsed.resources;
  if (parsed.isIncomplete) return before.resources;
  const refused = new Set(parsed.refused);
  if (refused.size === 0) return parsed.resources;
  const ids = new Set(parsed.resources.map((resource) => resource.id));
  return [...parsed.resources, ...before.resources.filter(({ id }) => refused.has(id) && !ids.has(id))];
}
