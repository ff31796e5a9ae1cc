// tortie explain: one policy or one endpoint in plain words, with who everybody is now.
import { type Command, Option } from 'commander';
import { readLiveManifests } from '../../agent/live-manifests.ts';
import { type EndpointExplanation, explainEndpoint } from '../../analysis/explain/endpoint.ts';
import { explainPolicy, type PolicyExplanation } from '../../analysis/explain/policy.ts';
import { findSubject } from '../../analysis/explain/subject.ts';
import { createContext } from '../../analysis/lint/context.ts';
import type { Finding } from '../../analysis/lint/finding.ts';
import { lintContext } from '../../analysis/lint/lint.ts';
import { resourceName } from '../../analysis/object-names.ts';
import type { PolicyKind } from '../../model/policy.ts';
import { askAgent } from '../agent-client.ts';
import { EXIT } from '../exit-codes.ts';
import { formatEndpoint, formatPolicy } from '../explain-text.ts';
import { warnOfHostPolicy } from '../host-policy-note.ts';
import { resourceTypeNamed } from '../kind-names.ts';
import { readManifestPaths } from '../manifest-paths.ts';
import { manifestsOption, outputOption, socketOption } from '../options.ts';
import { type OutputFormat, printData, printError } from '../output.ts';

interface ExplainFlags {
  readonly manifests: string;
  readonly live?: boolean;
  readonly socket: string;
  readonly output: OutputFormat;
}

/** What is printed: the explanation, and what lint says about its object. */
export type Explained = (PolicyExplanation | EndpointExplanation) & { readonly warnings: readonly Finding[] };

const HELP = `
NAME is a policy or a workload endpoint, in any of these forms:
  np/shop/web, knp/shop/db, gnp/baseline, kcnp/admin, snp/..., sgnp/..., sknp/...   kind, namespace, name
  np:shop/web                                                                       as traces write it
  shop/web-1, pod/shop/web-1, wep/shop/node1-k8s-web--1-eth0                        an endpoint
  baseline                                                                          when only one thing is called that

Staged policies are shown in their place, and what they would change under "pending".`;

export function fillExplainCommand(command: Command): void {
  command
    .addOption(manifestsOption())
    .addOption(new Option('--live', 'explain what the running agent enforces'))
    .addOption(socketOption())
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(runExplain);
}

async function runExplain(name: string, { manifests, live, socket, output }: ExplainFlags): Promise<void> {
  const snapshot =
    live === true ? readLiveManifests(await askAgent(socket, 'GET', '/v1/manifests')) : readManifestPaths([manifests]);
  const context = createContext([...snapshot.objects.values()], snapshot.errors);
  context.errors.forEach(printError);
  const subject = findSubject(name, context.world, kindsNamed);
  const { inventory, desired } = context;
  if (subject.kind === 'endpoint') warnOfHostPolicy(desired);
  const explanation =
    subject.kind === 'policy'
      ? explainPolicy(subject.policy, inventory, desired)
      : explainEndpoint(subject.endpoint, inventory, desired);
  const place = subject.kind === 'policy' ? subject.policy.location : subject.endpoint.location;
  const resource = context.resources.find(({ location }) => location === place);
  const warnings = lintContext(context).findings.filter(
    ({ object, suppressed }) => resource !== undefined && suppressed === undefined && object === resourceName(resource),
  );
  const explained: Explained = { ...explanation, warnings };
  await printData(explained, output, () =>
    explained.kind === 'policy' ? formatPolicy(explained) : formatEndpoint(explained),
  );
  if (context.errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** Calico and Kubernetes both have a kind NetworkPolicy: by that name either may be meant. */
function kindsNamed(text: string): readonly (PolicyKind | 'endpoint')[] {
  const type = resourceTypeNamed(text);
  if (type === undefined) return [];
  if (type === 'Pod' || type === 'WorkloadEndpoint') return ['endpoint'];
  const isEither = type === 'NetworkPolicy' && /^networkpolic(?:y|ies)$/i.test(text);
  return isEither ? ['NetworkPolicy', 'KubernetesNetworkPolicy'] : [type as PolicyKind];
}
