// What parsers leave for later: the rules of a policy, of which a node needs few of a cluster's, and the lines that
// rules are on, which only those ask for who explain a verdict.
import { withLazyField } from '../../base/lazy-field.ts';
import type { FieldPath } from '../../resources/field-path.ts';
import type { Resource } from '../../resources/resource.ts';
import type { SourceLocation } from '../location.ts';
import type { Policy } from '../policy.ts';
import { freezeDeep, freezeFields, ParseContext } from './result.ts';

/** The policy with rules that are parsed now only for their errors, and for good once somebody reads them. */
export function withRules(
  head: Omit<Policy, 'rules'>,
  context: ParseContext,
  parse: (context: ParseContext) => Policy['rules'],
): Policy {
  if (!context.isAccepted) parse(context);
  const { resource } = context;
  return withLazyField(freezeFields(head), 'rules', () => freezeDeep(parse(new ParseContext(resource))));
}

/** Where a field of the resource is written. */
export function locationOf(resource: Resource, path: FieldPath): SourceLocation {
  return withLazyField({ file: resource.location.file }, 'line', () => resource.lineOf(path));
}
