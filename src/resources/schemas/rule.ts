// One rule of a Calico policy or profile, as written.
import { z } from 'zod';
import { choice, distinct, labelMap, portField, protocolField, selectorText, strictCidrText } from './primitives.ts';

const icmp = z.strictObject({
  type: z.number().int().min(0).max(254).optional(),
  code: z.number().int().min(0).max(255).optional(),
});

const entity = z.strictObject({
  nets: z.array(strictCidrText).max(256).optional(),
  notNets: z.array(strictCidrText).max(256).optional(),
  selector: selectorText.optional(),
  notSelector: selectorText.optional(),
  namespaceSelector: selectorText.optional(),
  services: z
    .strictObject({ name: z.string().max(253).optional(), namespace: z.string().max(253).optional() })
    .optional(),
  ports: z.array(portField).max(50).optional(),
  notPorts: z.array(portField).max(50).optional(),
  serviceAccounts: z
    .strictObject({ names: z.array(z.string()).optional(), selector: selectorText.optional() })
    .optional(),
});

const httpPath = z.strictObject({ exact: z.string().max(1024).optional(), prefix: z.string().max(1024).optional() });

const http = z.strictObject({
  methods: z.array(z.string()).max(20).superRefine(distinct).optional(),
  paths: z.array(httpPath).max(20).optional(),
});

export const rule = z.strictObject({
  action: choice(['Allow', 'Deny', 'Log', 'Pass']),
  ipVersion: z.union([z.literal(4), z.literal(6)]).optional(),
  protocol: protocolField.optional(),
  notProtocol: protocolField.optional(),
  icmp: icmp.optional(),
  notICMP: icmp.optional(),
  source: entity.optional(),
  destination: entity.optional(),
  http: http.optional(),
  metadata: z.strictObject({ annotations: labelMap.optional() }).optional(),
});

export const ruleList = z.array(rule).max(1024);

export type RuleSpec = z.infer<typeof rule>;
export type EntitySpec = z.infer<typeof entity>;
export type HttpSpec = z.infer<typeof http>;
