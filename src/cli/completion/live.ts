// Names that only an agent knows, for the completion of command lines. Nothing here fails: an agent that does not answer
// knows no names.
import { DEFAULT_SOCKET } from '../../agent/places.ts';
import type { AgentStatus } from '../../agent/status.ts';
import { askAgent } from '../agent-client.ts';
import { resourceTypeNamed } from '../kind-names.ts';
import { at } from '../object-columns.ts';
import { nameOf } from '../object-output.ts';
import { DEFAULT_NAMESPACE, placeOf } from '../object-targets.ts';
import { ResourceClient } from '../resource-client.ts';
import type { Live, Scope } from './candidates.ts';

const SHOWN_REVISIONS = 20;

/** Asks the agent that the command line or the environment names. */
export const LIVE: Live = {
  names: (kind, scope) => listNames(kind, scope).catch(nothing),
  namespaces: (scope) => listNamespaces(scope).catch(nothing),
  endpoints: (scope) => listEndpoints(scope).catch(nothing),
  revisions: (scope) => listRevisions(scope).catch(nothing),
};

async function listNames(kinds: string, scope: Scope): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const kind of kinds.split(',')) {
    const type = resourceTypeNamed(kind);
    if (type === undefined) continue;
    const namespace = scope.namespace ?? process.env.TORTIE_NAMESPACE ?? DEFAULT_NAMESPACE;
    const { items } = await clientOf(scope).list({ type, ...placeOf(type, namespace) });
    for (const item of items) names.add(nameOf(item));
  }
  return [...names];
}

/** Those that are objects, and those that other objects are in. */
async function listNamespaces(scope: Scope): Promise<readonly string[]> {
  const client = clientOf(scope);
  const { items } = await client.list({ type: 'Namespace' });
  const names = new Set(items.map(nameOf));
  for (const type of ['WorkloadEndpoint', 'NetworkPolicy', 'KubernetesNetworkPolicy', 'Pod'] as const) {
    for (const item of (await client.list({ type })).items) names.add(String(at(item, 'metadata', 'namespace')));
  }
  return [...names].sort();
}

async function listEndpoints(scope: Scope): Promise<readonly string[]> {
  const { endpoints } = await askAgent<AgentStatus>(socketOf(scope), 'GET', '/v1/status');
  return endpoints.map(({ endpoint }) => endpoint);
}

async function listRevisions(scope: Scope): Promise<readonly string[]> {
  const { items } = await clientOf(scope).history(SHOWN_REVISIONS);
  return items.map(({ revision }) => String(revision));
}

function clientOf(scope: Scope): ResourceClient {
  return new ResourceClient(socketOf(scope));
}

function socketOf({ socket }: Scope): string {
  return socket ?? process.env.TORTIE_SOCKET ?? DEFAULT_SOCKET;
}

function nothing(): readonly string[] {
  return [];
}
