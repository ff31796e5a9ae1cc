// networking.k8s.io/v1 NetworkPolicy and Calico's staged form of it, as written.
import { z } from 'zod';
import { isPortName } from '../ports.ts';
import { labelSelector } from './label-selector.ts';
import { strictMetadata } from './metadata.ts';
import { stagedAction } from './policy.ts';
import { cidrText, exactChoice, portProtocolField } from './primitives.ts';

const port = z.strictObject({
  protocol: portProtocolField.optional(),
  port: z
    .union([
      z.number().int().min(1).max(65535),
      z.string().refine(isPortName, { error: 'a port number between 1 and 65535, or a port name' }),
    ])
    .optional(),
  endPort: z.number().int().min(1).max(65535).optional(),
});

const peer = z.strictObject({
  podSelector: labelSelector.optional(),
  namespaceSelector: labelSelector.optional(),
  ipBlock: z.strictObject({ cidr: cidrText, except: z.array(cidrText).optional() }).optional(),
});

const spec = {
  podSelector: labelSelector.default({}),
  ingress: z.array(z.strictObject({ from: z.array(peer).optional(), ports: z.array(port).optional() })).optional(),
  egress: z.array(z.strictObject({ to: z.array(peer).optional(), ports: z.array(port).optional() })).optional(),
  policyTypes: z.array(exactChoice(['Ingress', 'Egress'])).optional(),
};

const envelope = { apiVersion: z.string(), kind: z.string(), metadata: strictMetadata, status: z.unknown().optional() };

export const kubernetesNetworkPolicy = z.strictObject({ ...envelope, spec: z.strictObject(spec) });
export const stagedKubernetesNetworkPolicy = z.strictObject({
  ...envelope,
  spec: z.strictObject({ ...spec, stagedAction: stagedAction.optional() }),
});

export type KubernetesPolicySpec = z.infer<typeof stagedKubernetesNetworkPolicy>['spec'];
export type PeerSpec = z.infer<typeof peer>;
export type PortSpec = z.infer<typeof port>;
