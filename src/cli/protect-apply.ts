// A proposal into force and out again, each as one change of the agent's store.

import type { HostEndpointStatus } from '../agent/host-endpoint-status.ts';
import type { HistoryEntry } from '../agent/store/history.ts';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { PROTECT_LABEL } from '../analysis/protect/proposal.ts';
import { askAgent } from './agent-client.ts';
import { describeChange } from './change-text.ts';
import type { ProposalFile } from './protect-file.ts';
import { describeNext } from './protect-text.ts';
import { ResourceClient } from './resource-client.ts';

export interface ApplyOptions {
  /** undefined = for good. */
  readonly confirm?: string;
  readonly isForced: boolean;
}

const MANAGER = 'tortie-protect';

/** In the place of what an earlier proposal had. Returns what there is to say. Throws CUTS_CONNECTION and what apply does. */
export async function applyProposal(
  socket: string,
  { manifests }: ProposalFile,
  { confirm, isForced }: ApplyOptions,
): Promise<string> {
  const flags = { confirm, isForced, fieldManager: MANAGER, prune: PROTECT_LABEL };
  const report = await new ResourceClient(socket).applyAll(JSON.stringify(manifests), flags);
  const isChanged = report.changes.some(({ result }) => result !== 'unchanged');
  const { confirmation: pending, ...done } = report;
  return [describeChange(done), ...(isChanged ? [describeNext(pending && confirm, pending?.expires)] : [])].join('\n');
}

/** Host endpoints of the proposal that are in force on paper only, each with the reason. */
export async function unenforced(socket: string, { resources }: ProposalFile): Promise<string[]> {
  const own = new Set(resources.filter(({ type }) => type === 'HostEndpoint').map(({ name }) => name));
  const { hostEndpoints = [] } = await askAgent<{ hostEndpoints?: readonly HostEndpointStatus[] }>(
    socket,
    'GET',
    '/v1/status',
  );
  return hostEndpoints
    .filter(({ hostEndpoint, state }) => own.has(hostEndpoint) && state !== 'ready')
    .map(({ hostEndpoint, reason }) => `hostendpoint ${hostEndpoint} is not enforced: ${reason}`);
}

/** Whether it was confirmed or not. Returns what there is to say. */
export async function undoProtection(socket: string, isForced: boolean): Promise<string> {
  const client = new ResourceClient(socket);
  // What waits cannot be changed; confirmed, it goes at once.
  const pending = await client.pending();
  if (pending !== undefined && isOfProtect(await client.historyEntry(String(pending.revision)))) {
    await client.confirm(String(pending.revision));
  }
  const report = await client.applyAll('[]', { isForced, fieldManager: MANAGER, prune: PROTECT_LABEL });
  if (report.changes.length === 0) return 'nothing of protect is in force';
  return `${describeChange(report)}\nthis machine is as it was before protect`;
}

/** The agent shows objects of its history as it shows all others. */
function isOfProtect({ changes }: HistoryEntry): boolean {
  return changes.some(({ before, after }) =>
    [before, after].some((object) => {
      const { metadata } = (object ?? {}) as Manifest;
      return isPlain(metadata) && isPlain(metadata.labels) && Object.hasOwn(metadata.labels, PROTECT_LABEL);
    }),
  );
}
