// Profiles: written ones, and those that namespaces and service accounts stand for.
import type { ResourceOf } from '../../resources/resource.ts';
import type { Profile, Rule } from '../policy.ts';
import { NAME_LABEL, NAMESPACE_PREFIX, SERVICE_ACCOUNT_PREFIX } from '../selector/scope.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { ANY_ENTITY, parseRules } from './rules.ts';

/** The Kubernetes API server gives it to every namespace; manifests rarely say it. */
const METADATA_NAME = 'kubernetes.io/metadata.name';
const BUILT_IN = { file: '', line: 0 };

/** Allows everything both ways, for host endpoints that should be policed by policies alone. */
export const DEFAULT_ALLOW_PROFILE: Profile = Object.freeze({
  type: 'profile',
  name: 'projectcalico-default-allow',
  key: 'projectcalico-default-allow',
  labels: Object.freeze({}),
  rules: allowAll(BUILT_IN),
  location: BUILT_IN,
});

export function namespaceProfileName(namespace: string): string {
  return `kns.${namespace}`;
}

export function serviceAccountProfileName(namespace: string, serviceAccount: string): string {
  return `ksa.${namespace}.${serviceAccount}`;
}

export function parseProfile(resource: ResourceOf<'Profile'>): ParseResult {
  const context = new ParseContext(resource);
  const { spec, name, location } = resource;
  const profile: Profile = {
    type: 'profile',
    name,
    key: name,
    labels: spec.labelsToApply ?? {},
    rules: {
      ingress: parseRules(spec.ingress, ['spec', 'ingress'], context),
      egress: parseRules(spec.egress, ['spec', 'egress'], context),
    },
    location,
  };
  return context.result(profile);
}

/** A namespace without policy allows everything, and lends its labels to what lives in it. */
export function parseNamespace(resource: ResourceOf<'Namespace'>): ParseResult {
  const { name, metadata, location } = resource;
  const profileName = namespaceProfileName(name);
  const labels = prefixedLabels({ [METADATA_NAME]: name, ...metadata.labels }, name, NAMESPACE_PREFIX);
  const profile: Profile = {
    type: 'profile',
    name: profileName,
    key: profileName,
    labels,
    rules: allowAll(location),
    location,
  };
  return new ParseContext(resource).result(profile);
}

/** A service account only lends its labels. */
export function parseServiceAccount(resource: ResourceOf<'ServiceAccount'>): ParseResult {
  const { name, metadata, location } = resource;
  const profileName = serviceAccountProfileName(resource.namespace ?? 'default', name);
  const labels = prefixedLabels(metadata.labels, name, SERVICE_ACCOUNT_PREFIX);
  const profile: Profile = {
    type: 'profile',
    name: profileName,
    key: profileName,
    labels,
    rules: { ingress: [], egress: [] },
    location,
  };
  return new ParseContext(resource).result(profile);
}

function prefixedLabels(
  labels: Readonly<Record<string, string>>,
  name: string,
  prefix: string,
): Record<string, string> {
  // Field by field: objects that get the same fields in the same order share their shape.
  const all: Record<string, string> = {};
  for (const [label, value] of Object.entries(labels)) all[prefix + label] = value;
  all[prefix + NAME_LABEL] = name;
  return all;
}

function allowAll(location: Profile['location']): Profile['rules'] {
  const rule: Rule = { action: 'allow', source: ANY_ENTITY, destination: ANY_ENTITY, location };
  return Object.freeze({ ingress: Object.freeze([Object.freeze(rule)]), egress: Object.freeze([Object.freeze(rule)]) });
}
