// What authors say is as it should be: `lint.tortie.dev/ignore: "rule-id: reason; other-rule: reason"` on the object.
// A suppression must say why, name a rule there is, and suppress something.

import { nearestName } from '../../resources/nearest.ts';
import type { Resource } from '../../resources/resource.ts';
import { resourceName } from '../object-names.ts';
import { isRuleId, RULE_IDS, type RuleId } from './catalogue.ts';
import { findingAbout } from './context.ts';
import type { Finding } from './finding.ts';

export const IGNORE_ANNOTATION = 'lint.tortie.dev/ignore';

const PATH = ['metadata', 'annotations', IGNORE_ANNOTATION];

interface Suppression {
  readonly resource: Resource;
  readonly rule: RuleId;
  readonly reason: string;
  isUsed: boolean;
}

/**
 * The findings, with reasons where they are suppressed, and findings about suppressions. Those of rules in `notRun`
 * cannot be told to be unused.
 */
export function applySuppressions(
  findings: readonly Finding[],
  resources: readonly Resource[],
  notRun: ReadonlySet<RuleId>,
): Finding[] {
  const about: Finding[] = [];
  const byObject = new Map<string, Suppression[]>();
  for (const resource of resources) {
    const text = resource.metadata.annotations[IGNORE_ANNOTATION];
    if (text !== undefined) byObject.set(resourceName(resource), parse(text, resource, about));
  }
  const marked = findings.map((finding): Finding => {
    const suppression = byObject.get(finding.object)?.find(({ rule }) => rule === finding.rule);
    if (suppression === undefined) return finding;
    suppression.isUsed = true;
    return { ...finding, suppressed: suppression.reason };
  });
  const unused = [...byObject.values()].flat().filter(({ rule, isUsed }) => !isUsed && !notRun.has(rule));
  return [
    ...marked,
    ...about,
    ...unused.map(({ resource, rule }) =>
      findingAbout(resource, 'suppression-unused', `suppresses ${rule}, which it does not have`, { path: PATH }),
    ),
  ];
}

function parse(text: string, resource: Resource, about: Finding[]): Suppression[] {
  const found: Suppression[] = [];
  for (const entry of text.split(';')) {
    if (entry.trim() === '') continue;
    const [id = '', ...rest] = entry.split(':');
    const rule = id.trim();
    const reason = rest.join(':').trim();
    if (!isRuleId(rule)) {
      const nearest = nearestName(rule, RULE_IDS);
      const hint = nearest === undefined ? undefined : `did you mean ${nearest}?`;
      const message = `there is no lint rule ${JSON.stringify(rule)}`;
      about.push(findingAbout(resource, 'suppression-of-unknown-rule', message, { path: PATH, hint }));
    } else if (reason === '') {
      const message = `suppresses ${rule} without a reason, so it does not`;
      about.push(findingAbout(resource, 'suppression-without-reason', message, { path: PATH, hint: `${rule}: why` }));
    } else found.push({ resource, rule, reason, isUsed: false });
  }
  return found;
}
