// Which names objects of a kind may have (Kubernetes DNS-1123 rules and Calico's own).

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(?:\\.${LABEL})*`;
const SUBDOMAIN_PATTERN = new RegExp(`^${SUBDOMAIN}$`);
const LABEL_PATTERN = new RegExp(`^${LABEL}$`);
const NAMESPACED_POLICY_PATTERN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})?|(?:knp|ossg)\\.default\\.${SUBDOMAIN})$`);
const GLOBAL_POLICY_PATTERN = new RegExp(`^${LABEL}(?:\\.${LABEL})?$`);

export interface NameRule {
  readonly accepts: (name: string) => boolean;
  readonly expected: string;
}

export const SUBDOMAIN_NAME: NameRule = {
  accepts: (name) => name.length <= 253 && SUBDOMAIN_PATTERN.test(name),
  expected: 'lower-case letters, digits, - and . (DNS subdomain, at most 253 characters)',
};

export const LABEL_NAME: NameRule = {
  accepts: (name) => name.length <= 63 && LABEL_PATTERN.test(name),
  expected: 'lower-case letters, digits and - (DNS label, at most 63 characters)',
};

export const NAMESPACED_POLICY_NAME: NameRule = {
  accepts: (name) => name.length <= 253 && NAMESPACED_POLICY_PATTERN.test(name),
  expected: 'a DNS label, or two joined by a dot',
};

export const GLOBAL_POLICY_NAME: NameRule = {
  accepts: (name) => name.length <= 253 && GLOBAL_POLICY_PATTERN.test(name),
  expected: 'a DNS label, or two joined by a dot',
};

/** Objects of which there is one. */
export const DEFAULT_NAME: NameRule = { accepts: (name) => name === 'default', expected: 'default, the only one' };

/** Objects whose names only other programs make up. */
export const ANY_NAME: NameRule = {
  accepts: (name) => name.length > 0 && name.length <= 253,
  expected: 'at most 253 characters',
};

/** Linux allows more, but not safely in rules and file names. */
export function isInterfaceName(name: string): boolean {
  return /^[a-zA-Z0-9_.-]{1,15}$/.test(name);
}
