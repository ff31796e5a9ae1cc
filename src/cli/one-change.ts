// What --confirm asks of verbs that make a change of each object.
import { DataplaneError } from '../base/errors.ts';

/**
 * Throws USAGE for --confirm with several objects, before any of them is changed: each is a change of its own, and the second
 * would have to wait for the first to be confirmed.
 */
export function requireOneChange(verb: string, count: number, { confirm }: { readonly confirm?: string }): void {
  if (confirm === undefined || count <= 1) return;
  throw new DataplaneError('USAGE', 'one change is confirmed at a time', {
    operation: verb,
    target: `${count} objects`,
    found: '--confirm',
    hint:
      verb === 'delete'
        ? 'name one object; or leave --confirm out: tortie rollback brings objects back'
        : 'tortie apply makes one change of all objects',
  });
}
