// What became of objects in a change, as kubectl says it, and who made a change.
import type { Who } from '../agent/store/actor.ts';
import type { Manifest } from '../agent/store/manifest.ts';
import { qualifiedKind } from './kind-names.ts';
import { at } from './object-columns.ts';
import type { DryRun } from './object-options.ts';
import { nameOf, qualifiedName } from './object-output.ts';
import type { ChangeReport } from './resource-client.ts';

const DRY_RUN_NOTES: Readonly<Record<DryRun, string>> = {
  none: '',
  client: ' (client dry run)',
  server: ' (server dry run)',
};

/** `networkpolicy.projectcalico.org/web configured in namespace shop`. */
export function describeOutcome(object: Manifest, outcome: string, dryRun: DryRun = 'none'): string {
  const namespace = at(object, 'metadata', 'namespace');
  const place =
    namespace === undefined ? '' : ` ${outcome === 'deleted' ? 'from' : 'in'} namespace ${String(namespace)}`;
  const name = outcome === 'deleted' ? `${qualifiedKind(object)} "${nameOf(object)}"` : qualifiedName(object);
  return `${name} ${outcome}${place}${DRY_RUN_NOTES[dryRun]}`;
}

/** One line for each object, then the revision, and what is still to be done. */
export function describeChange(report: ChangeReport): string {
  return [describeOutcomes(report), ...describeKept(report)].join('\n');
}

/** What a rollback has left as files have it. */
function describeKept({ kept = [] }: ChangeReport): string[] {
  return kept.map(
    ({ id, file, line, revision }) =>
      `${id} was changed in ${file}:${line} since (revision ${revision}), which no rollback writes: bring the file back`,
  );
}

function describeOutcomes({ changes, dryRun, revision, confirmation }: ChangeReport): string {
  const lines = changes.map(({ id, result, object }) =>
    object === null ? `${id} ${result}` : describeOutcome(object, result, dryRun ? 'server' : 'none'),
  );
  if (lines.length === 0) return 'no changes';
  if (dryRun) return lines.join('\n');
  const isChanged = changes.some(({ result }) => result !== 'unchanged');
  const pending =
    confirmation === undefined || !isChanged
      ? []
      : [`undone at ${confirmation.expires} unless: tortie confirm ${confirmation.revision}`];
  return [...lines, ...(isChanged ? [`revision ${revision}`] : []), ...pending].join('\n');
}

export function describeWho(who: Who): string {
  if (who.kind === 'local') return `uid ${who.uid}, pid ${who.pid}`;
  if (who.kind === 'agent') return 'the agent';
  if (who.kind === 'file') return who.uid === undefined ? 'a file that is gone' : `the files of uid ${who.uid}`;
  return who.organization === undefined ? who.commonName : `${who.commonName} (${who.organization})`;
}
