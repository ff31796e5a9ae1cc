// Calico's endpoints and network sets, as written.
import { z } from 'zod';
import { parseMac } from '../mac.ts';
import { strictMetadata } from './metadata.ts';
import {
  hostInterfaceName,
  hostNetText,
  interfaceName,
  ipText,
  netText,
  portName,
  portNumber,
  portProtocolField,
} from './primitives.ts';

const envelope = { apiVersion: z.string(), kind: z.string(), metadata: strictMetadata, status: z.unknown().optional() };

const hostEndpointPort = z.strictObject({ name: portName, protocol: portProtocolField, port: portNumber });

export const hostEndpoint = z.strictObject({
  ...envelope,
  spec: z.strictObject({
    node: z.string().min(1).max(253),
    interfaceName: hostInterfaceName.optional(),
    expectedIPs: z.array(ipText).optional(),
    profiles: z.array(z.string().min(1)).optional(),
    ports: z.array(hostEndpointPort).optional(),
  }),
});

/** What Calico's own tools write for a text that is not set. */
const EMPTY = z.literal('');

const workloadPort = z.strictObject({
  name: EMPTY.or(portName).optional(),
  protocol: portProtocolField,
  port: portNumber,
  hostPort: z.number().int().min(0).max(65535).optional(),
  hostIP: z.string().optional(),
});

const macText = z.string().refine((text) => parseMac(text) !== undefined, { error: 'a MAC such as 0a:58:0a:f4:00:05' });

export const workloadEndpoint = z.strictObject({
  ...envelope,
  spec: z.strictObject({
    orchestrator: z.string().min(1),
    workload: z.string().optional(),
    node: z.string().min(1),
    containerID: z.string().optional(),
    pod: z.string().optional(),
    endpoint: z.string().optional(),
    serviceAccountName: z.string().optional(),
    ipNetworks: z.array(hostNetText).optional(),
    ipNATs: z.array(z.strictObject({ internalIP: ipText, externalIP: ipText })).optional(),
    ipv4Gateway: ipText.or(EMPTY).optional(),
    ipv6Gateway: ipText.or(EMPTY).optional(),
    profiles: z.array(z.string().min(1)).optional(),
    interfaceName: interfaceName.optional(),
    mac: macText.or(EMPTY).optional(),
    ports: z.array(workloadPort).optional(),
    allowSpoofedSourcePrefixes: z.array(netText).optional(),
    qosControls: z.unknown().optional(),
  }),
});

/** NetworkSet and GlobalNetworkSet. */
export const networkSet = z.strictObject({
  ...envelope,
  spec: z.strictObject({ nets: z.array(netText).optional() }).default({}),
});

export type HostEndpointSpec = z.infer<typeof hostEndpoint>['spec'];
export type WorkloadEndpointSpec = z.infer<typeof workloadEndpoint>['spec'];
export type NetworkSetSpec = z.infer<typeof networkSet>['spec'];
