// policy.networking.k8s.io ClusterNetworkPolicy, as written. Sizes are those of its API.
import { z } from 'zod';
import { labelSelector } from './label-selector.ts';
import { strictMetadata } from './metadata.ts';
import { exactChoice, portName, portNumber, strictCidrText } from './primitives.ts';

const MAX_ITEMS = 25;

const namespacedPod = z.strictObject({ namespaceSelector: labelSelector.default({}), podSelector: labelSelector });

/** Of the fields of a subject, a peer, a protocol and a port exactly one is given: validate-cluster.ts. */
const podsOrNamespaces = { namespaces: labelSelector.optional(), pods: namespacedPod.optional() };

const ingressPeer = z.strictObject(podsOrNamespaces);
const egressPeer = z.strictObject({
  ...podsOrNamespaces,
  nodes: labelSelector.optional(),
  networks: z.array(strictCidrText).min(1).max(MAX_ITEMS).optional(),
  domainNames: z.array(z.string()).min(1).max(MAX_ITEMS).optional(),
});

const port = z.strictObject({
  number: portNumber.optional(),
  range: z.strictObject({ start: portNumber, end: portNumber }).optional(),
});
const withPort = z.strictObject({ destinationPort: port });
const protocol = z.strictObject({
  tcp: withPort.optional(),
  udp: withPort.optional(),
  sctp: withPort.optional(),
  destinationNamedPort: portName.optional(),
});

const rule = {
  name: z.string().max(100).optional(),
  action: exactChoice(['Accept', 'Deny', 'Pass']),
  protocols: z.array(protocol).min(1).max(MAX_ITEMS).optional(),
};
const ingressRule = z.strictObject({ ...rule, from: z.array(ingressPeer).min(1).max(MAX_ITEMS) });
const egressRule = z.strictObject({ ...rule, to: z.array(egressPeer).min(1).max(MAX_ITEMS) });

export const clusterNetworkPolicy = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: strictMetadata,
  spec: z.strictObject({
    tier: exactChoice(['Admin', 'Baseline']),
    priority: z.number().int().min(0).max(1000),
    subject: z.strictObject(podsOrNamespaces),
    ingress: z.array(ingressRule).max(MAX_ITEMS).optional(),
    egress: z.array(egressRule).max(MAX_ITEMS).optional(),
  }),
  status: z.unknown().optional(),
});

export type ClusterPolicySpec = z.infer<typeof clusterNetworkPolicy>['spec'];
export type ClusterPeerSpec = z.infer<typeof egressPeer>;
export type ClusterProtocolSpec = z.infer<typeof protocol>;
export type ClusterRuleSpec = z.infer<typeof ingressRule> | z.infer<typeof egressRule>;
export type NamespacedPodSpec = z.infer<typeof namespacedPod>;
