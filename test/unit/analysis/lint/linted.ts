// Manifests as text -> what lint says of them, for tests that look at single findings.
import type { Finding, LintReport } from '../../../../src/analysis/lint/finding.ts';
import { lintManifests } from '../../../../src/analysis/lint/lint.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';

/** A namespace `shop` with pods web-1 (10.0.0.1), api-1 (10.0.0.2, port grpc) and a network set. */
export const SHOP = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
${podManifest('web-1', 'web', '10.0.0.1')}
---
${podManifest('api-1', 'api', '10.0.0.2')}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: office, namespace: shop, labels: {role: office}}
spec: {nets: [192.0.2.0/28]}
`;

export function podManifest(name: string, app: string, ip: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${app}}}
spec: {nodeName: n1, containers: [{ports: [{name: grpc, containerPort: 9000}]}]}
status: {podIP: ${ip}}`;
}

/** A policy of namespace shop for app == "web" with these fields of its spec. */
export function webPolicy(fields: string, name = 'p'): string {
  return `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec: {selector: app == "web", ${fields}}`;
}

export function lintText(...documents: readonly string[]): LintReport {
  const { resources, errors } = parseDocuments(documents.join('\n---\n'), 'f.yaml');
  return lintManifests(resources, errors);
}

/** `<rule> <object> <field>` of each finding that is not suppressed. */
export function linesOf({ findings }: LintReport): string[] {
  return findings.filter(({ suppressed }) => suppressed === undefined).map(lineOf);
}

export function lineOf({ rule, object, field }: Finding): string {
  return [rule, object, field].filter((part) => part !== undefined).join(' ');
}
