// Templates of host endpoints that no endpoint can come of.
import { compilePattern } from '../base/linear-pattern.ts';
import type { FieldPath } from './field-path.ts';
import { SUBDOMAIN_NAME } from './names.ts';
import { quoteValue, type Report } from './report.ts';
import type { HostEndpointTemplate, KubeControllersSpec } from './schemas/kube-controllers.ts';
import { checkAnnotations, checkLabels } from './validate-metadata.ts';

export const TEMPLATES: FieldPath = ['spec', 'controllers', 'node', 'hostEndpoint', 'templates'];

/** A template says which interfaces it is for, and has a name where it may make several endpoints. */
export function checkKubeControllers({ controllers }: KubeControllersSpec, report: Report): void {
  for (const [index, template] of (controllers?.node?.hostEndpoint?.templates ?? []).entries()) {
    checkTemplate(template, [...TEMPLATES, index], report);
  }
}

function checkTemplate(template: HostEndpointTemplate, path: FieldPath, report: Report): void {
  const { generateName = '', interfaceCIDRs = [], interfacePattern = '', labels = {}, annotations = {} } = template;
  if (interfaceCIDRs.length === 0 && interfacePattern === '') {
    const details = { code: 'MISSING_FIELD', expected: 'at least one of them' } as const;
    report(path, 'no interfaceCIDRs or interfacePattern', details);
  }
  if (generateName === '' && interfacePattern !== '') {
    const hint = 'each interface has an endpoint of its own, named <node>-<generateName>-<interface>-auto-hep';
    report([...path, 'generateName'], 'a template with interfacePattern has no name', { code: 'MISSING_FIELD', hint });
  }
  if (generateName !== '' && !SUBDOMAIN_NAME.accepts(generateName)) {
    const details = { found: quoteValue(generateName), expected: SUBDOMAIN_NAME.expected };
    report([...path, 'generateName'], 'invalid name', details);
  }
  const pattern = compilePattern(interfacePattern);
  if ('problem' in pattern) {
    const details = { found: quoteValue(interfacePattern), expected: 'a regular expression in the syntax of RE2' };
    report([...path, 'interfacePattern'], pattern.problem, details);
  }
  checkLabels(labels, [...path, 'labels'], report);
  checkAnnotations(annotations, [...path, 'annotations'], report);
}
