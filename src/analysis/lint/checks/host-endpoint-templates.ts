// Templates of host endpoints that make none for nodes that they are for.
import { deriveHostEndpoints } from '../../../model/auto-host-endpoints.ts';
import type { HostEndpointTemplate, NodeFacts } from '../../../model/host-endpoint-source.ts';
import { parseResource } from '../../../model/parse/parse-resource.ts';
import { TEMPLATES } from '../../../resources/validate-kube-controllers.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { listSome } from '../wording.ts';

/** One finding for each template and reason. */
export function checkHostEndpointTemplates({ resources }: LintContext): Finding[] {
  const plans = resources.filter(({ type }) => type === 'KubeControllersConfiguration');
  if (plans.length === 0) return [];
  const nodes = resources.flatMap((resource) => {
    const source = resource.type === 'Node' ? parseResource(resource).source : undefined;
    return source?.kind === 'node' ? [source] : [];
  });
  return plans.flatMap((resource) => {
    const { source } = parseResource(resource);
    if (source?.kind !== 'hostEndpointPlan') return [];
    return source.templates.flatMap((template, index) =>
      [...idleNodes(template, nodes)].map(([reason, names]) => {
        const message = `makes no host endpoint for ${listSome(names)}: ${reason}`;
        const path = [...TEMPLATES, index, template.pattern === undefined ? 'interfaceCIDRs' : 'interfacePattern'];
        return findingAbout(resource, 'host-endpoint-template-idle', message, { path });
      }),
    );
  });
}

/** Names of the nodes that the template is for and makes nothing for, by why. */
function idleNodes(template: HostEndpointTemplate, nodes: readonly NodeFacts[]): Map<string, string[]> {
  const idle = new Map<string, string[]>();
  for (const node of nodes) {
    if (!isSelected(template, node) || makesAny(template, node)) continue;
    const reason = reasonOf(template, node);
    const names = idle.get(reason) ?? [];
    idle.set(reason, names);
    names.push(`node/${node.name}`);
  }
  return idle;
}

function reasonOf({ pattern }: HostEndpointTemplate, { interfaces }: NodeFacts): string {
  if (pattern === undefined) return 'no address that is noted there is in its networks';
  return interfaces.length === 0
    ? 'no interfaces are noted in the annotation projectcalico.org/Interfaces'
    : 'its pattern describes no interface that is noted there';
}

function makesAny(template: HostEndpointTemplate, node: NodeFacts): boolean {
  return deriveHostEndpoints({ kind: 'hostEndpointPlan', hasDefault: false, templates: [template] }, node).length > 0;
}

/** It would make an endpoint for any interface. */
function isSelected(template: HostEndpointTemplate, node: NodeFacts): boolean {
  return makesAny({ ...template, pattern: () => true }, { ...node, interfaces: [{ name: 'any', addresses: [] }] });
}
