// Why the desk refuses a change: each names the object, what stands against it and the way out.
import { DataplaneError } from '../../base/errors.ts';
import type { Resource } from '../../resources/resource.ts';
import { asOfNow, type Confirmation } from './confirmation.ts';
import type { EditedObject } from './history.ts';

/** Only an edit of the file changes what a file defines. */
export function definedInFile(id: string, { file, line }: Resource['location']): DataplaneError {
  return new DataplaneError('DEFINED_IN_FILE', 'is defined by a manifest file', {
    operation: 'write',
    target: id,
    found: `${file}:${line}`,
    hint: 'edit the file, or take the object out of it first',
  });
}

/** A rollback would have nothing to do but in files. */
export function changedInFiles(kept: readonly EditedObject[], target: number): DataplaneError {
  const [first, ...others] = kept as [EditedObject, ...EditedObject[]];
  const more = others.length === 0 ? '' : `, and ${others.length} more objects of files`;
  return new DataplaneError('DEFINED_IN_FILE', 'was changed in a manifest file, which no rollback writes', {
    operation: `roll back to revision ${target}`,
    target: first.id,
    found: `${first.file}:${first.line}, revision ${first.revision}${more}`,
    hint: `bring the file back as it was: tortie history ${first.revision} has both versions`,
  });
}

/** What awaits a confirmation stands in the way. */
export function awaitsConfirmation(target: string, confirmation: Confirmation): DataplaneError {
  const { revision, expires } = asOfNow(confirmation);
  return new DataplaneError('CONFLICT', `revision ${revision} awaits a confirmation until ${expires}`, {
    operation: 'write',
    target,
    hint: `confirm or roll back revision ${revision} first`,
  });
}

/** With the change in force, what awaits a confirmation could not be undone when its time is up. */
export function blocksUndo(target: string, { revision }: Confirmation, cause: unknown): DataplaneError {
  const [first] = errorsOf(cause);
  return new DataplaneError(
    'CONFLICT',
    `would keep revision ${revision}, which awaits a confirmation, from being undone`,
    {
      operation: 'write',
      target,
      found: first instanceof Error ? first.message : String(first),
      hint: `confirm or roll back revision ${revision} first`,
      cause,
    },
  );
}

/** Each thing that is wrong, where several are. */
export function errorsOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError ? error.errors : [error];
}
