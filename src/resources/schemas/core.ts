// Kubernetes core kinds and EndpointSlice: only the fields that Tortie reads are checked, all others are let pass.
import { z } from 'zod';
import { parseIpText } from '../../base/ip-text.ts';
import { looseMetadata } from './metadata.ts';
import { portProtocolField } from './primitives.ts';

const envelope = { apiVersion: z.string(), kind: z.string(), metadata: looseMetadata };
const anyPort = z.number().int().min(0).max(65535);

const containerPort = z.object({
  name: z.string().optional(),
  containerPort: z.number().int().min(1).max(65535),
  protocol: portProtocolField.optional(),
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

const slicePort = z.object({
  name: z.string().optional(),
  protocol: portProtocolField.optional(),
  port: anyPort.optional(),
});

const sliceEndpoint = z.object({
  addresses: z.array(z.string()),
  conditions: z.object({ ready: z.boolean().optional(), serving: z.boolean().optional() }).optional(),
});

export const endpointSlice = z
  .object({
    ...envelope,
    addressType: z.string().refine((type) => ['IPv4', 'IPv6', 'FQDN'].includes(type), { error: 'IPv4, IPv6 or FQDN' }),
    endpoints: z.array(sliceEndpoint).optional(),
    ports: z.array(slicePort).optional(),
  })
  .superRefine((slice, context) => {
    if (slice.addressType === 'FQDN') return;
    const words = slice.addressType === 'IPv4' ? 1 : 4;
    for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
      for (const [at, address] of endpoint.addresses.entries()) {
        if (parseIpText(address)?.length === words) continue;
        const path = ['endpoints', index, 'addresses', at];
        context.addIssue({ code: 'custom', message: `an ${slice.addressType} address`, path });
      }
    }
  });

export type PodDocument = z.infer<typeof pod>;
export type NodeDocument = z.infer<typeof node>;
export type ServiceSpec = z.infer<typeof service>['spec'];
export type EndpointSliceDocument = z.infer<typeof endpointSlice>;
