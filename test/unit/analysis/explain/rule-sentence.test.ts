import { describe, expect, it } from 'vitest';
import { explainRule } from '../../../../src/analysis/explain/rule-sentence.ts';
import { Inventory } from '../../../../src/analysis/inventory.ts';
import type { Direction, Policy } from '../../../../src/model/policy.ts';
import { worldFrom } from '../../../support/world-from.ts';

const SLICE = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: pay-1, namespace: shop, labels: {kubernetes.io/service-name: pay}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.7]}]
ports: [{port: 443}]`;
const pod = (name: string, app: string, ip: string, port: number): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${app}}}\nspec: {nodeName: n, containers: [{ports: [{name: http, containerPort: ${port}}]}]}\nstatus: {podIP: ${ip}}`;

function sentenceOf(direction: Direction, fields: string): string {
  const policy = `apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {selector: app == "web", ${direction}: [{action: Allow, ${fields}}]}`;
  const world = worldFrom(
    [SLICE, pod('web-1', 'web', '10.0.0.1', 80), pod('api-1', 'api', '10.0.0.2', 90), policy].join('\n---\n'),
  );
  const inventory = new Inventory(world);
  const [parsed] = world.policies.values() as Iterable<Policy> as [Policy];
  const own = inventory.selected(parsed.selector);
  const rule = parsed.rules[direction][0];
  if (rule === undefined) throw new Error(fields);
  return explainRule(rule, 0, direction, inventory, own).sentence;
}

describe('a rule in words', () => {
  it.each<[Direction, string, string]>([
    ['ingress', '', 'allow everything from anyone'],
    ['ingress', 'protocol: TCP, destination: {ports: [22, "80:90"]}', 'allow TCP to ports 22 or 80-90 from anyone'],
    ['ingress', 'protocol: TCP, destination: {ports: [http]}', 'allow TCP to port http (TCP 80) from anyone'],
    ['egress', 'protocol: TCP, destination: {ports: [http]}', 'allow TCP to port http (TCP 80, TCP 90) to anyone'],
    [
      'egress',
      'protocol: TCP, destination: {selector: app == "api", ports: [http]}',
      'allow TCP to port http (TCP 90) to endpoints and sets with app == "api" in namespace shop (now shop/api-1)',
    ],
    ['egress', 'protocol: UDP, destination: {ports: [http]}', 'allow UDP to port http (nothing defines it) to anyone'],
    [
      'ingress',
      'source: {selector: app == "db"}',
      'allow everything from endpoints and sets with app == "db" in namespace shop (now nobody)',
    ],
    [
      'ingress',
      'source: {notSelector: app == "api"}',
      'allow everything from endpoints and sets with !app == "api" in namespace shop (now shop/web-1)',
    ],
    [
      'egress',
      'destination: {services: {name: pay}}',
      'allow everything to the backends of service shop/pay (1 address)',
    ],
    [
      'egress',
      'destination: {nets: [10.0.0.0/8], notNets: [10.1.0.0/16]}',
      'allow everything to addresses in 10.0.0.0/8 but not in 10.1.0.0/16',
    ],
    ['ingress', 'protocol: ICMP, icmp: {type: 8, code: 0}', 'allow ICMP type 8 code 0 from anyone'],
    ['ingress', 'ipVersion: 6, notProtocol: UDP', 'allow IPv6 everything but UDP from anyone'],
    ['ingress', 'protocol: TCP, source: {ports: [53]}', 'allow TCP from anyone with source port 53'],
    [
      'ingress',
      'destination: {selector: has(app)}',
      'allow everything from anyone at endpoints and sets with has(app) in namespace shop (now shop/web-1)',
    ],
  ])('of %s with {%s} reads: %s', (direction, fields, expected) => {
    expect(sentenceOf(direction, fields)).toBe(expected);
  });
});
