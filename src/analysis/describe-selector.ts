// Scoped selectors in the words of the people who wrote them: namespace and service-account conditions apart from
// labels, without the prefixes and the built-in labels that scoping put in.
import type { Selector } from '../model/selector/ast.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import {
  NAME_LABEL,
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  ORCHESTRATOR_LABEL,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from '../model/selector/scope.ts';

const METADATA_NAME = 'kubernetes.io/metadata.name';

/** `with app == "web" in namespace shop`; empty for a selector without conditions. */
export function describeSelector(selector: Selector): string {
  const operands = selector.kind === 'and' ? selector.operands : [selector];
  const labels: string[] = [];
  const places: string[] = [];
  const accounts: string[] = [];
  for (const operand of operands) {
    const place = placeOf(operand);
    const account = accountOf(operand);
    if (operand.kind === 'all' || isPodMark(operand)) continue;
    if (place !== undefined) places.push(place);
    else if (account !== undefined) accounts.push(account);
    else labels.push(plainText(operand));
  }
  const parts = [
    labels.length === 0 ? '' : `with ${labels.join(' && ')}`,
    accounts.length === 0 ? '' : `of ${accounts.join(' and ')}`,
    places.length === 0 ? '' : `in ${places.join(' and ')}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** A label as its author knows it. */
export function plainLabel(label: string): string {
  if (label.startsWith(NAMESPACE_PREFIX)) return label.slice(NAMESPACE_PREFIX.length);
  return label.startsWith(SERVICE_ACCOUNT_PREFIX) ? label.slice(SERVICE_ACCOUNT_PREFIX.length) : label;
}

function isPodMark(selector: Selector): boolean {
  return selector.kind === 'equals' && selector.label === ORCHESTRATOR_LABEL && selector.value === 'k8s';
}

function placeOf(selector: Selector): string | undefined {
  if (selector.kind === 'has' && selector.label === NAMESPACE_LABEL) return 'any namespace';
  if (selector.kind === 'not' && selector.operand.kind === 'has' && selector.operand.label === NAMESPACE_LABEL) {
    return 'no namespace';
  }
  const names = [NAMESPACE_LABEL, NAMESPACE_PREFIX + NAME_LABEL, NAMESPACE_PREFIX + METADATA_NAME];
  const named = namedBy(selector, names, 'namespace');
  if (named !== undefined) return named;
  return isAllUnder(selector, NAMESPACE_PREFIX) ? `namespaces with ${plainText(selector)}` : undefined;
}

function accountOf(selector: Selector): string | undefined {
  if (selector.kind === 'has' && selector.label === SERVICE_ACCOUNT_LABEL) return 'any service account';
  const named = namedBy(selector, [SERVICE_ACCOUNT_LABEL, SERVICE_ACCOUNT_PREFIX + NAME_LABEL], 'service account');
  if (named !== undefined) return named;
  return isAllUnder(selector, SERVICE_ACCOUNT_PREFIX) ? `service accounts with ${plainText(selector)}` : undefined;
}

function namedBy(selector: Selector, labels: readonly string[], noun: string): string | undefined {
  if (selector.kind === 'equals' && labels.includes(selector.label)) return `${noun} ${selector.value}`;
  if (selector.kind !== 'in' || !labels.includes(selector.label)) return undefined;
  return selector.values.length === 1 ? `${noun} ${selector.values[0]}` : `${noun}s ${selector.values.join(', ')}`;
}

/** Whether every label in it stands under the prefix, and there is one. */
function isAllUnder(selector: Selector, prefix: string): boolean {
  if (selector.kind === 'not') return isAllUnder(selector.operand, prefix);
  if (selector.kind === 'and' || selector.kind === 'or') {
    return selector.operands.length > 0 && selector.operands.every((operand) => isAllUnder(operand, prefix));
  }
  return 'label' in selector && selector.label.startsWith(prefix);
}

function plainText(selector: Selector): string {
  return formatSelector(withPlainLabels(selector));
}

function withPlainLabels(selector: Selector): Selector {
  if (selector.kind === 'not') return { kind: 'not', operand: withPlainLabels(selector.operand) };
  if (selector.kind === 'and' || selector.kind === 'or') {
    return { kind: selector.kind, operands: selector.operands.map(withPlainLabels) };
  }
  return 'label' in selector ? { ...selector, label: plainLabel(selector.label) } : selector;
}
