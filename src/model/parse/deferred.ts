// What parsers leave for later: the rules of a policy, of which a node needs few of a cluster's, and the lines that
// rules are on, which only those ask for who explain a verdict.
import { lazyField } from '../../base/lazy-field.ts';
import type { FieldPath } from '../../resources/field-path.ts';
import type { Resource } from '../../resources/resource.ts';
import type { SourceLocation } from '../location.ts';
import type { Policy } from '../policy.ts';
import { freezeDeep, freezeFields, ParseContext } from './result.ts';

type RulesParser<R extends Resource> = (resource: R, context: ParseContext) => Policy['rules'];
type PolicyHead = Omit<Policy, 'rules'>;

const rulesParsers = new Map<Resource['type'], RulesParser<Resource>>();

/** One field for all kinds: policies of several kinds have the same fields, and would no longer share their shape. */
const withRules = lazyField('rules', (resource: Resource) => {
  const parse = rulesParsers.get(resource.type) as RulesParser<Resource>;
  return freezeDeep(parse(resource, new ParseContext(resource)));
});

/**
 * What adds to policies of these types their rules: parsed when the policy is made only for their errors, and for good
 * once somebody reads them.
 */
export function rulesBy<T extends Resource['type']>(
  types: readonly T[],
  parse: RulesParser<Extract<Resource, { readonly type: T }>>,
): (head: PolicyHead, context: ParseContext) => Policy {
  for (const type of types) rulesParsers.set(type, parse as RulesParser<Resource>);
  return (head, context) => {
    const { resource } = context;
    if (!context.isAccepted) parse(resource as Extract<Resource, { readonly type: T }>, context);
    return withRules(freezeFields(head), resource);
  };
}

interface Place {
  readonly resource: Resource;
  readonly path: FieldPath;
}

const withLine = lazyField('line', ({ resource, path }: Place) => resource.lineOf(path));

/** Where a field of the resource is written. */
export function locationOf(resource: Resource, path: FieldPath): SourceLocation {
  return withLine({ file: resource.location.file }, { resource, path });
}
