// Calico's KubeControllersConfiguration as written: what its controllers do, of which only host endpoints that come to be for
// nodes mean anything here. The rest is checked and has no effect.
import { z } from 'zod';
import { strictMetadata } from './metadata.ts';
import { cidrText, exactChoice, labelMap, selectorText } from './primitives.ts';

const onOff = exactChoice(['Enabled', 'Disabled']);
const port = z.number().int().min(0).max(65535);

/** As Go writes durations. */
const duration = z
  .string()
  .refine((text) => /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(text), {
    error: 'a duration such as 5m or 1h30m',
  });

const reconciled = z.strictObject({ reconcilerPeriod: duration.optional() });

/** More than any name of an interface needs. */
const MAX_PATTERN = 1024;
/** Each may make an endpoint for each interface of each node. */
const MAX_TEMPLATES = 100;

const template = z.strictObject({
  generateName: z.string().max(253).optional(),
  interfaceCIDRs: z.array(cidrText).optional(),
  interfacePattern: z.string().max(MAX_PATTERN).optional(),
  nodeSelector: selectorText.optional(),
  labels: labelMap.optional(),
  annotations: labelMap.optional(),
});

const hostEndpoint = z.strictObject({
  autoCreate: onOff.optional(),
  createDefaultHostEndpoint: onOff.optional(),
  templates: z.array(template).max(MAX_TEMPLATES).optional(),
});

const node = z.strictObject({
  reconcilerPeriod: duration.optional(),
  syncLabels: onOff.optional(),
  hostEndpoint: hostEndpoint.optional(),
  leakGracePeriod: duration.optional(),
});

const controllers = z.strictObject({
  node: node.optional(),
  policy: reconciled.optional(),
  workloadEndpoint: reconciled.optional(),
  serviceAccount: reconciled.optional(),
  namespace: reconciled.optional(),
  loadBalancer: z
    .strictObject({ assignIPs: exactChoice(['AllServices', 'RequestedServicesOnly']).optional() })
    .optional(),
  migration: z.strictObject({ policyNameMigrator: onOff.optional() }).optional(),
  // The same under the name that the API has it by.
  policyMigration: z.strictObject({ enabled: onOff.optional() }).optional(),
});

export const kubeControllersConfiguration = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: strictMetadata,
  status: z.unknown().optional(),
  spec: z
    .strictObject({
      logSeverityScreen: exactChoice(['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic']).optional(),
      healthChecks: onOff.optional(),
      etcdV3CompactionPeriod: duration.optional(),
      prometheusMetricsPort: port.optional(),
      debugProfilePort: port.optional(),
      controllers: controllers.optional(),
    })
    .default({}),
});

export type KubeControllersSpec = z.infer<typeof kubeControllersConfiguration>['spec'];
export type HostEndpointTemplate = z.infer<typeof template>;
