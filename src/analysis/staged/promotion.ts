// A staged policy as the change that puts it in force: the policy that it becomes, or the one that goes.
import { DataplaneError } from '../../base/errors.ts';

export type StagedKind = 'StagedNetworkPolicy' | 'StagedGlobalNetworkPolicy' | 'StagedKubernetesNetworkPolicy';
export type EnforcedKind = 'NetworkPolicy' | 'GlobalNetworkPolicy' | 'KubernetesNetworkPolicy';

export interface Promotion {
  readonly action: 'set' | 'delete';
  readonly type: EnforcedKind;
  readonly namespace?: string;
  readonly name: string;
  /** What is put there; undefined = it goes. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

interface Enforced {
  readonly type: EnforcedKind;
  readonly apiVersion: string;
  readonly kind: string;
  /** How traces name the policy that it becomes, and the staged one. */
  readonly traces: { readonly enforced: string; readonly staged: string };
}

const CALICO = 'projectcalico.org/v3';

export const PROMOTIONS: Readonly<Record<StagedKind, Enforced>> = {
  StagedNetworkPolicy: {
    type: 'NetworkPolicy',
    apiVersion: CALICO,
    kind: 'NetworkPolicy',
    traces: { enforced: 'np', staged: 'snp' },
  },
  StagedGlobalNetworkPolicy: {
    type: 'GlobalNetworkPolicy',
    apiVersion: CALICO,
    kind: 'GlobalNetworkPolicy',
    traces: { enforced: 'gnp', staged: 'sgnp' },
  },
  StagedKubernetesNetworkPolicy: {
    type: 'KubernetesNetworkPolicy',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    traces: { enforced: 'knp', staged: 'sknp' },
  },
};

/** manifest = of the staged policy. Throws INVALID_FIELD when it has no name. */
export function promotionOf(type: StagedKind, manifest: Readonly<Record<string, unknown>>): Promotion {
  const { apiVersion, kind, type: enforcedType } = PROMOTIONS[type];
  const metadata = fieldsOf(manifest.metadata);
  const { stagedAction, ...spec } = fieldsOf(manifest.spec);
  const { name, namespace, labels, annotations } = metadata;
  if (typeof name !== 'string' || name === '') {
    throw new DataplaneError('INVALID_FIELD', 'has no name', {
      operation: 'promote',
      target: kind,
      field: 'metadata.name',
    });
  }
  const place = typeof namespace === 'string' && namespace !== '' ? { namespace } : {};
  const where = { type: enforcedType, name, ...place };
  if (stagedAction === 'Delete') return { action: 'delete', ...where };
  const kept = {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { action: 'set', ...where, manifest: { apiVersion, kind, metadata: { name, ...place, ...kept }, spec } };
}

/** `np:shop/web`: how traces name what the staged policy becomes. */
export function enforcedTraceName(type: StagedKind, namespace: string | undefined, name: string): string {
  return traceNameOf(PROMOTIONS[type].traces.enforced, namespace, name);
}

export function stagedTraceName(type: StagedKind, namespace: string | undefined, name: string): string {
  return traceNameOf(PROMOTIONS[type].traces.staged, namespace, name);
}

function traceNameOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}:${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
