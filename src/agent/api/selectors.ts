// labelSelector and fieldSelector of a list or watch: text -> a test of an object. Kubernetes' grammar.
import { isLabelValue, isQualifiedName } from '../../resources/labels.ts';
import type { Resource } from '../../resources/resource.ts';
import { invalidRequest } from './failure.ts';

export type Match = (object: Pick<Resource, 'name' | 'namespace' | 'metadata'>) => boolean;

type Labels = Readonly<Record<string, string>>;

const SET = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALS = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/;
const EXISTS = /^(!?)\s*([^\s!=,()]+)$/;

/** Throws INVALID_REQUEST. */
export function parseSelectors(labelSelector: string | null, fieldSelector: string | null): Match {
  const labels = splitRequirements(labelSelector ?? '').map(parseLabelRequirement);
  const fields = splitRequirements(fieldSelector ?? '').map(parseFieldRequirement);
  return (object) => labels.every((test) => test(object.metadata.labels)) && fields.every((test) => test(object));
}

function splitRequirements(text: string): string[] {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

function parseLabelRequirement(text: string): (labels: Labels) => boolean {
  const set = SET.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => requireValue(value.trim(), text)));
    requireKey(key, text);
    const isIn = operator === 'in';
    return (labels) => (Object.hasOwn(labels, key) ? values.has(labels[key] as string) === isIn : !isIn);
  }
  const equals = EQUALS.exec(text);
  if (equals !== null) {
    const [, key = '', operator, value = ''] = equals;
    requireKey(key, text);
    requireValue(value, text);
    if (operator === '!=') return (labels) => !Object.hasOwn(labels, key) || labels[key] !== value;
    return (labels) => Object.hasOwn(labels, key) && labels[key] === value;
  }
  const [, not, key = ''] = EXISTS.exec(text) ?? [];
  requireKey(key, text);
  return (labels) => Object.hasOwn(labels, key) === (not === '');
}

function parseFieldRequirement(text: string): Match {
  const [, field = '', operator, value = ''] = EQUALS.exec(text) ?? [];
  if (field !== 'metadata.name' && field !== 'metadata.namespace') {
    throw invalidRequest('fieldSelector', 'is not understood', {
      found: text,
      expected: 'metadata.name=NAME or metadata.namespace=NAME',
    });
  }
  const key = field === 'metadata.name' ? 'name' : 'namespace';
  return (object) => ((object[key] ?? '') === value) === (operator !== '!=');
}

function requireKey(key: string, text: string): void {
  if (!isQualifiedName(key)) throw unclear(text, 'a label key, alone or with =, !=, in (...) or notin (...)');
}

function requireValue(value: string, text: string): string {
  if (!isLabelValue(value)) throw unclear(text, 'a label value');
  return value;
}

function unclear(found: string, expected: string): Error {
  return invalidRequest('labelSelector', 'is not understood', { found, expected });
}
