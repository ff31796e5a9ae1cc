// What filters and statistics read of a flow log that it does not say in so many words. One place, so that flows as they come and
// stored ones mean the same.
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';

/** Around each item of a list that is kept as one text, so that an item can be looked for. */
export const SEPARATOR = '\u001f';
const ESCAPE = '\u001e';

/** `allow`, `deny`, or '' where no staged policy was asked: what would be if staged policies were enforced. */
export function pendingAction({ pending }: FlowLog): string {
  const action = fieldsOf(pending.at(-1))?.action;
  return action === 'allow' || action === 'deny' ? action : '';
}

/** `tier|kind:ns/name|action|rule` of the entry that decided; '' = there is no trace. */
export function decidedBy({ enforced }: FlowLog): string {
  const last = enforced.at(-1);
  return last === undefined ? '' : last.slice(last.indexOf('|') + 1);
}

/** `ns/name`, or `name` of global ones: what entries of both traces are about, each once. */
export function policiesOf({ enforced, pending }: FlowLog): string[] {
  const names = [...enforced, ...pending].flatMap((entry) => fieldsOf(entry)?.policy ?? []);
  return [...new Set(names)];
}

/** `ns/name`; '' = none. */
export function serviceOf({ service }: FlowLog): string {
  return service === undefined ? '' : `${service.namespace}/${service.name}`;
}

/** Items of `key=value`, to be looked for with labelItem. */
export function labelItems({ labels }: FlowEnd): string[] {
  return Object.keys(labels)
    .sort()
    .map((key) => labelItem(key, labels[key] as string));
}

/** Without `=` in its first part, whatever the key is. */
export function labelItem(key: string, value: string): string {
  return `${labelKey(key)}=${value}`;
}

export function labelKey(key: string): string {
  return key.replaceAll(ESCAPE, `${ESCAPE}0`).replaceAll('=', `${ESCAPE}2`);
}

/** The key and value of an item; undefined = it is none. */
export function splitLabelItem(item: string): readonly [string, string] | undefined {
  const at = item.indexOf('=');
  if (at < 0) return undefined;
  const key = item.slice(0, at).replaceAll(`${ESCAPE}2`, '=').replaceAll(`${ESCAPE}0`, ESCAPE);
  return [key, item.slice(at + 1)];
}

/** The items in one text, separated and surrounded; '' for none. */
export function joinItems(items: readonly string[]): string {
  return items.length === 0 ? '' : `${SEPARATOR}${items.map(escapeItem).join(SEPARATOR)}${SEPARATOR}`;
}

export function splitItems(text: string): string[] {
  return text === '' ? [] : text.slice(1, -1).split(SEPARATOR).map(unescapeItem);
}

/** The item as it stands in joinItems. Lone surrogates are no text that could be kept. */
export function escapeItem(item: string): string {
  return item.replaceAll(ESCAPE, `${ESCAPE}0`).replaceAll(SEPARATOR, `${ESCAPE}1`);
}

function unescapeItem(item: string): string {
  return item.replaceAll(`${ESCAPE}1`, SEPARATOR).replaceAll(`${ESCAPE}0`, ESCAPE);
}

interface TraceFields {
  readonly tier: string;
  /** Without its kind. */
  readonly policy: string;
  readonly kind: string;
  readonly action: string;
  readonly rule: string;
}

/** Of `index|tier|kind:ns/name|action|rule`; undefined = it is not of that form. */
export function fieldsOf(entry: string | undefined): TraceFields | undefined {
  const [, tier, named, action, rule] = entry?.split('|') ?? [];
  if (tier === undefined || named === undefined || action === undefined || rule === undefined) return undefined;
  const colon = named.indexOf(':');
  return { tier, kind: named.slice(0, Math.max(colon, 0)), policy: named.slice(colon + 1), action, rule };
}
