// Kubernetes core kinds and EndpointSlice: only the fields that Tortie reads are checked, all others are let pass.
import { z } from 'zod';
import { looseMetadata } from './metadata.ts';
import { ipText } from './primitives.ts';

const envelope = { apiVersion: z.string(), kind: z.string(), metadata: looseMetadata };
const anyPort = z.number().int().min(0).max(65535);

const containerPort = z.object({
  name: z.string().optional(),
  containerPort: z.number().int().min(1).max(65535),
  protocol: z.string().optional(),
});
const container = z.object({ ports: z.array(containerPort).optional() });

const podSpec = z.object({
  nodeName: z.string().optional(),
  hostNetwork: z.boolean().optional(),
  serviceAccountName: z.string().optional(),
  containers: z.array(container).optional(),
  initContainers: z.array(container).optional(),
});
const podStatus = z.object({
  phase: z.string().optional(),
  podIP: z.string().optional(),
  podIPs: z.array(z.object({ ip: z.string().optional() })).optional(),
});

export const pod = z.object({ ...envelope, spec: podSpec.default({}), status: podStatus.default({}) });

/** Namespace and ServiceAccount: their metadata says it all. */
export const bare = z.object(envelope);

export const node = z.object({
  ...envelope,
  spec: z.object({ podCIDR: z.string().optional(), podCIDRs: z.array(z.string()).optional() }).default({}),
  status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).optional() }).default({}),
});

const servicePort = z.object({ name: z.string().optional(), protocol: z.string().optional(), port: anyPort });

export const service = z.object({
  ...envelope,
  spec: z
    .object({
      type: z.string().optional(),
      clusterIP: z.string().optional(),
      clusterIPs: z.array(z.string()).optional(),
      selector: z.record(z.string(), z.string()).optional(),
      ports: z.array(servicePort).optional(),
    })
    .default({}),
});

const slicePort = z.object({ name: z.string().optional(), protocol: z.string().optional(), port: anyPort.optional() });

export const endpointSlice = z
  .object({
    ...envelope,
    addressType: z.string().refine((type) => ['IPv4', 'IPv6', 'FQDN'].includes(type), { error: 'IPv4, IPv6 or FQDN' }),
    endpoints: z.array(z.object({ addresses: z.array(z.string()) })).optional(),
    ports: z.array(slicePort).optional(),
  })
  .superRefine((slice, context) => {
    if (slice.addressType === 'FQDN') return;
    for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
      for (const [at, address] of endpoint.addresses.entries()) {
        if (ipText.safeParse(address).success) continue;
        context.addIssue({ code: 'custom', message: 'an IP address', path: ['endpoints', index, 'addresses', at] });
      }
    }
  });

export type PodDocument = z.infer<typeof pod>;
export type NodeDocument = z.infer<typeof node>;
export type ServiceSpec = z.infer<typeof service>['spec'];
export type EndpointSliceDocument = z.infer<typeof endpointSlice>;
