// What applying files to an agent would change: objects as texts, and packets in sentences. The agent answers both by a dry
// run; nothing is changed.
import { stringify } from 'yaml';
import type { Manifest } from '../agent/store/manifest.ts';
import { cleanManifest } from '../agent/store/stored-object.ts';
import type { Difference } from '../analysis/diff/difference.ts';
import { DataplaneError } from '../base/errors.ts';
import { formatDifference } from './diff-text.ts';
import { qualifiedName } from './object-output.ts';
import { type ChangeReport, type ObjectRef, ResourceClient } from './resource-client.ts';
import { unifiedDiff } from './text-diff.ts';
import { readWrittenObjects, type WrittenFlags } from './written-objects.ts';

export interface FileDifference {
  /** Of each object that would change. */
  readonly objects: readonly { readonly name: string; readonly result: string; readonly diff: string }[];
  /** As `tortie diff` has it. */
  readonly packets: Difference;
}

/** Throws what apply does, with nothing in force. */
export async function diffFiles(socket: string, flags: WrittenFlags): Promise<FileDifference> {
  const objects = readWrittenObjects(flags);
  const client = new ResourceClient(socket);
  const list = JSON.stringify(objects.map(({ manifest }) => manifest));
  const { changes, difference } = await client.applyAll(list, {
    isDryRun: true,
    withDiff: true,
    fieldManager: 'tortie',
  });
  const found: FileDifference['objects'][number][] = [];
  for (const [at, change] of changes.entries()) {
    const written = objects[at];
    if (change.result === 'unchanged' || written === undefined) continue;
    const one = await compare(client, written.ref, change);
    // Who has applied what may change alone.
    if (one.diff !== '') found.push(one);
  }
  return { objects: found, packets: difference as Difference };
}

export function formatFileDifference({ objects, packets }: FileDifference): string {
  return [...objects.map(({ diff }) => diff), formatDifference(packets, objects.length)].join('\n\n');
}

async function compare(
  client: ResourceClient,
  ref: ObjectRef,
  { result, object }: ChangeReport['changes'][number],
): Promise<FileDifference['objects'][number]> {
  const after = object ?? {};
  const name = qualifiedName(after);
  const before = result === 'created' ? undefined : await getIfThere(client, ref);
  return { name, result, diff: unifiedDiff(textOf(before), textOf(after), name) };
}

async function getIfThere(client: ResourceClient, ref: ObjectRef): Promise<Manifest | undefined> {
  try {
    return await client.get(ref);
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** Without what the store counts. */
function textOf(object: Manifest | undefined): string {
  return object === undefined ? '' : stringify(cleanManifest(object), { aliasDuplicateObjects: false });
}
