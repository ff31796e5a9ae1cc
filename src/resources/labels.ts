// What label keys and values may look like (Kubernetes' qualified names).

const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const LABEL_KEY_EXPECTED =
  'at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, optionally after a DNS name and a slash';
export const LABEL_VALUE_EXPECTED =
  'at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, or nothing';

/** `name` or `prefix/name`; the prefix is a DNS subdomain of at most 253 characters. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (name.length > 63 || !NAME.test(name)) return false;
  if (slash === -1) return true;
  const prefix = text.slice(0, slash);
  return prefix.length <= 253 && SUBDOMAIN.test(prefix);
}

export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && NAME.test(text));
}
