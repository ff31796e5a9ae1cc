// Label selectors of Kubernetes' own policy kinds: keys, values, and operators with the values they need.
import type { FieldPath } from './field-path.ts';
import { isLabelValue, isQualifiedName, LABEL_KEY_EXPECTED, LABEL_VALUE_EXPECTED } from './labels.ts';
import { quoteValue, type Report } from './report.ts';
import type { LabelSelectorSpec } from './schemas/label-selector.ts';

/** `path` is the selector's. */
export function checkLabelSelector(selector: LabelSelectorSpec, path: FieldPath, report: Report): void {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    checkKey(key, [...path, 'matchLabels', key], report);
    checkValue(value, [...path, 'matchLabels', key], report);
  }
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = [...path, 'matchExpressions', index];
    checkKey(key, [...at, 'key'], report);
    for (const [position, value] of values.entries()) checkValue(value, [...at, 'values', position], report);
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues === values.length > 0) continue;
    const what = needsValues ? `${operator} needs values` : `${operator} takes no values`;
    report([...at, 'values'], what, { code: 'INVALID_SELECTOR' });
  }
}

function checkKey(key: string, path: FieldPath, report: Report): void {
  if (isQualifiedName(key)) return;
  const details = { found: quoteValue(key), expected: LABEL_KEY_EXPECTED };
  report(path, 'invalid label key', { code: 'INVALID_SELECTOR', ...details });
}

function checkValue(value: string, path: FieldPath, report: Report): void {
  if (isLabelValue(value)) return;
  const details = { found: quoteValue(value), expected: LABEL_VALUE_EXPECTED };
  report(path, 'invalid label value', { code: 'INVALID_SELECTOR', ...details });
}
