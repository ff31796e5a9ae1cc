// Manifests of policies around one rule, and what comes of those that must be refused.
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/base/errors.ts';
import { parseResource } from '../../../src/model/parse/parse-resource.ts';
import { parseDocuments } from '../../../src/resources/document.ts';

/** The whole document, the one error that it must bring, and a part of its message. */
export type Rejection = readonly [manifest: string, code: ErrorCode, field: string, message: string];

const CLUSTER_WIDE = new Set(['GlobalNetworkPolicy', 'StagedGlobalNetworkPolicy', 'Profile']);

export function manifest(kind: string, spec: string): string {
  const metadata = CLUSTER_WIDE.has(kind) ? '{name: p}' : '{name: p, namespace: web}';
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}`;
}

export const np = (spec: string): string => manifest('NetworkPolicy', spec);
export const gnp = (spec: string): string => manifest('GlobalNetworkPolicy', spec);
export const ingress = (rule: string): string => np(`{ingress: [${rule}]}`);
export const egress = (rule: string): string => np(`{egress: [${rule}]}`);
export const globalIngress = (rule: string): string => gnp(`{ingress: [${rule}]}`);
export const globalEgress = (rule: string): string => gnp(`{egress: [${rule}]}`);

/** What every reader of a manifest has against it. */
export function errorsOf(text: string): { code: ErrorCode; field?: string; message: string }[] {
  const { resources, errors } = parseDocuments(text, 'f.yaml');
  return [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)];
}

/** One test for each: its error is the only one, and nothing is left of the object. */
export function describeRejections(subject: string, rejections: readonly Rejection[]): void {
  describe(`rejections about ${subject}`, () => {
    const named = rejections.map((rejection) => [rejection[0].split('\n').slice(3).join(' '), ...rejection] as const);
    it.each(named)('%.120s', (_name, text, code, field, message) => {
      expect(errorsOf(text)).toMatchObject([{ code, field, message: expect.stringContaining(message) }]);
      const { resources } = parseDocuments(text, 'f.yaml');
      expect(resources.flatMap((resource) => parseResource(resource).objects)).toEqual([]);
    });
  });
}
