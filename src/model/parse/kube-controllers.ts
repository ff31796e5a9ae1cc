// KubeControllersConfiguration -> which host endpoints come to be for nodes. Nothing else of it means anything here.
import { compilePattern } from '../../base/linear-pattern.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import type { HostEndpointTemplate as WrittenTemplate } from '../../resources/schemas/kube-controllers.ts';
import { TEMPLATES } from '../../resources/validate-kube-controllers.ts';
import { parseCidr } from '../address.ts';
import type { HostEndpointPlan, HostEndpointTemplate } from '../host-endpoint-source.ts';
import { SELECT_ALL } from '../selector/construct.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { selectorWithoutGlobal } from './rules.ts';

/** No source where they are not asked for; selectors are looked at all the same. */
export function parseKubeControllers(resource: ResourceOf<'KubeControllersConfiguration'>): ParseResult {
  const context = new ParseContext(resource);
  const { autoCreate, createDefaultHostEndpoint, templates = [] } = resource.spec.controllers?.node?.hostEndpoint ?? {};
  const source: HostEndpointPlan = {
    kind: 'hostEndpointPlan',
    hasDefault: createDefaultHostEndpoint !== 'Disabled',
    templates: templates.map((template, index) => templateOf(template, index, context)),
  };
  const isWanted = autoCreate === 'Enabled' && context.errors.length === 0;
  return isWanted ? { ...context.result(), source } : context.result();
}

function templateOf(written: WrittenTemplate, index: number, context: ParseContext): HostEndpointTemplate {
  const { generateName = '', interfaceCIDRs = [], interfacePattern = '', nodeSelector, labels = {} } = written;
  const pattern = interfacePattern === '' ? undefined : compilePattern(interfacePattern);
  return {
    name: generateName,
    cidrs: interfaceCIDRs.map((text) => parseCidr(text)).filter((cidr) => cidr !== undefined),
    pattern: pattern !== undefined && 'matches' in pattern ? pattern.matches : undefined,
    nodes: selectorWithoutGlobal(nodeSelector, [...TEMPLATES, index, 'nodeSelector'], context) ?? SELECT_ALL,
    labels,
  };
}
