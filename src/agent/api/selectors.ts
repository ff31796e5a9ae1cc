// labelSelector and fieldSelector of a list or watch: text -> a test of an object. Kubernetes' grammar.
import { isLabelValue, isQualifiedName } from '../../resources/labels.ts';
import type { Resource } from '../../resources/resource.ts';
import { isPlain, type Manifest } from '../store/manifest.ts';
import { invalidRequest, tooLarge } from './failure.ts';

type Head = Pick<Resource, 'name' | 'namespace' | 'metadata'>;
export type Match = (object: Head) => boolean;

/** What selectors are about, of a version of an object, whether or not the rest of it can be read. */
export function headOf({ id, manifest }: { readonly id: string; readonly manifest: Manifest }): Head {
  const [, namespace = '', name = ''] = id.split('/');
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const labels = isPlain(metadata.labels) ? (metadata.labels as Record<string, string>) : {};
  return { name, ...(namespace === '' ? {} : { namespace }), metadata: { labels, annotations: {} } };
}

type Labels = Readonly<Record<string, string>>;

const SET = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALS = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/;
const EXISTS = /^(!?)\s*([^\s!=,()]+)$/;

/** Each is tried on every object. */
const MAX_REQUIREMENTS = 256;

/** Throws INVALID_REQUEST and REQUEST_TOO_LARGE. */
export function parseSelectors(labelSelector: string | null, fieldSelector: string | null): Match {
  const labels = splitRequirements(labelSelector ?? '').map(parseLabelRequirement);
  const fields = splitRequirements(fieldSelector ?? '').map(parseFieldRequirement);
  return (object) => labels.every((test) => test(object.metadata.labels)) && fields.every((test) => test(object));
}

/** At the commas that stand in no parentheses. */
function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isInside = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '(' || sign === ')') isInside = sign === '(';
    if (sign !== ',' || isInside) continue;
    parts.push(text.slice(start, at).trim());
    start = at + 1;
  }
  parts.push(text.slice(start).trim());
  if (parts.length > MAX_REQUIREMENTS)
    throw tooLarge('selector', `${MAX_REQUIREMENTS} requirements`, `${parts.length}`);
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
