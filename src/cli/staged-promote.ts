// Staged policies put in force through the agent's store, watched by the flows that come, and taken back when they deny too many, or
// when nobody can tell. The change waits for a confirmation all the while: should this process die, the agent takes it back.
import type { Manifest } from '../agent/store/manifest.ts';
import { DenyWatch } from '../analysis/staged/deny-watch.ts';
import { enforcedTraceName, type Promotion, promotionOf } from '../analysis/staged/promotion.ts';
import { DataplaneError } from '../base/errors.ts';
import { DenialSight } from './denial-sight.ts';
import { describeUnreadable, type FlowQuery, readLogs, type Unreadable } from './flow-input.ts';
import { printWarning } from './output.ts';
import { type ChangeFlags, type ObjectRef, ResourceClient } from './resource-client.ts';
import { type StagedObject, stagedName } from './staged-targets.ts';

export interface PromoteOptions {
  readonly socket: string;
  /** Milliseconds; undefined = in force for good, at once. */
  readonly watchMs?: number;
  /** Denied flows that are too many by one. */
  readonly maxDenies: number;
  readonly pollMs: number;
  readonly keepStaged: boolean;
  readonly isForced: boolean;
  /** Takes what has been done so far. */
  readonly say: (text: string) => void;
}

export interface PromoteResult {
  readonly revision: number;
  readonly promoted: readonly string[];
  readonly isRolledBack: boolean;
  readonly denied: number;
  readonly denials: DenyWatch['denials'];
  /** What may have hidden a denial: with any of these it is not kept. */
  readonly unseen: readonly string[];
}

/** Looked back for what was denied before. */
const BASELINE_MS = 600_000;
/** The confirmation waits longer than the watch. */
const GRACE_MS = 60_000;
/** For the store to take what waits for it at the end, and to be asked again before that. */
const SETTLE_MS = 30_000;
/** Entries of history that are asked for at once. */
const HISTORY_PAGE = 100;

/** Throws NOT_FOUND, USAGE where a watch would see nothing, and what the agent refuses the change with. */
export async function promoteStagedPolicies(
  objects: readonly StagedObject[],
  options: PromoteOptions,
): Promise<PromoteResult> {
  const client = new ResourceClient(options.socket);
  const promotions = objects.map(({ type, manifest }) => promotionOf(type, manifest));
  const { watchMs, isForced } = options;
  const watch = watchMs === undefined ? undefined : await beginWatch(objects, options, watchMs);
  const confirm =
    watch === undefined ? {} : { confirm: `${Math.ceil((watch.lengthMs + SETTLE_MS + GRACE_MS) / 1000)}s` };
  const revision = await enforce(client, promotions, { isForced, ...confirm });
  const promoted = objects.map(stagedName);
  options.say(`${promoted.join(', ')} in force as revision ${revision}`);
  const none = { revision, promoted, denied: 0, denials: [], unseen: [], isRolledBack: false };
  if (watch === undefined) {
    if (!options.keepStaged) await dropStaged(client, objects);
    return none;
  }
  const unseen = await watchDenials(watch, options);
  const { flows, denials } = watch.denials;
  const outcome = { revision, promoted, denied: flows, denials, unseen };
  if (flows > options.maxDenies || unseen.length > 0) {
    await takeBack(client, revision);
    return { ...outcome, isRolledBack: true };
  }
  await client.confirm(String(revision));
  if (!options.keepStaged) await dropStaged(client, objects);
  return { ...outcome, isRolledBack: false };
}

/** One change; the revision that it made. */
async function enforce(client: ResourceClient, promotions: readonly Promotion[], flags: ChangeFlags): Promise<number> {
  const [only] = promotions;
  if (only !== undefined && promotions.length === 1) return enforceOne(client, only, flags);
  for (const promotion of promotions) {
    const isThere = (await getIfThere(client, promotion)) !== undefined;
    if (promotion.action === 'set' && !isThere) continue;
    throw new DataplaneError('USAGE', 'is promoted alone', {
      operation: 'promote',
      target: refOf(promotion).name,
      found: `${promotions.length} policies`,
      hint: promotion.action === 'set' ? 'it takes the place of a policy that is there' : 'it deletes a policy',
    });
  }
  const list = JSON.stringify(promotions.map(({ manifest }) => manifest));
  return Number((await client.applyAll(list, { ...flags, fieldManager: 'tortie' })).revision);
}

/** What is there is replaced as a whole: fields that the staged policy has not are not to stay. */
async function enforceOne(client: ResourceClient, promotion: Promotion, flags: ChangeFlags): Promise<number> {
  const ref = refOf(promotion);
  const { manifest } = promotion;
  if (manifest === undefined) return Number((await client.delete(ref, flags)).revision);
  const isThere = (await getIfThere(client, promotion)) !== undefined;
  const { metadata } = isThere
    ? await client.replace(ref, manifest, flags)
    : await client.create(
        { type: ref.type, ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }) },
        manifest,
        flags,
      );
  return Number((metadata as { readonly resourceVersion?: string }).resourceVersion);
}

function refOf({ type, namespace, name }: Promotion): ObjectRef {
  return { type, name, ...(namespace === undefined ? {} : { namespace }) };
}

async function getIfThere(client: ResourceClient, promotion: Promotion): Promise<Manifest | undefined> {
  try {
    return await client.get(refOf(promotion));
  } catch (error) {
    if (error instanceof DataplaneError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

interface Watch {
  readonly sight: DenialSight;
  readonly denials: DenyWatch;
  /** Before the policies are in force. */
  readonly began: number;
  /** Until the store must have what was denied in the time that was asked for. */
  readonly lengthMs: number;
}

/** Before anything changes: what could not be seen, or read, is refused here. */
async function beginWatch(
  objects: readonly StagedObject[],
  { socket }: PromoteOptions,
  watchMs: number,
): Promise<Watch> {
  const sight = await DenialSight.open(socket);
  const names = objects.map(({ type, namespace, name }) => enforcedTraceName(type, namespace, name));
  const tiers = objects.map(({ manifest }) => tierOf(manifest));
  const began = Date.now();
  const denials = new DenyWatch(names, tiers, began);
  const unreadable: Unreadable = { count: 0, first: [] };
  const query: FlowQuery = { verdict: 'deny', until: new Date(began).toISOString() };
  for await (const log of readLogs({ socket, since: BASELINE_MS }, query, unreadable)) denials.addBefore(log);
  return { sight, denials, began, lengthMs: watchMs + sight.lateMs };
}

/** What may have hidden a denial: such a watch ends at once, as one does that has seen too many. */
async function watchDenials(watch: Watch, { socket, maxDenies, pollMs }: PromoteOptions): Promise<readonly string[]> {
  const { sight, denials, began, lengthMs } = watch;
  // From now on: to read what was denied before may have taken longer than the watch.
  const until = Date.now() + lengthMs;
  let clearAt = Date.now();
  for (;;) {
    const isLast = Date.now() >= until;
    const left = isLast ? await sight.settle(SETTLE_MS) : [];
    const { losses, delay } = await sight.look();
    const obstacles = [...(delay === undefined ? [] : [delay]), ...(await readDenials(denials, socket, began))];
    if (obstacles.length === 0) clearAt = Date.now();
    // The next look finds what this one could not read.
    const isLasting = isLast || Date.now() - clearAt > SETTLE_MS;
    const unseen = [...left, ...losses, ...(isLasting ? obstacles : [])];
    if (isLast || unseen.length > 0 || denials.flows > maxDenies) return unseen;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pollMs, Math.max(0, until - Date.now()))));
  }
}

/** What could not be read. */
async function readDenials(denials: DenyWatch, socket: string, began: number): Promise<string[]> {
  const unreadable: Unreadable = { count: 0, first: [] };
  const since = Date.now() - began + 1;
  try {
    for await (const log of readLogs({ socket, since }, { verdict: 'deny' }, unreadable)) denials.add(log);
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    return [error.message];
  }
  return describeUnreadable(unreadable).slice(0, 1);
}

/** All of it, unless somebody else has changed something since: then only what this changed. */
async function takeBack(client: ResourceClient, revision: number): Promise<void> {
  if ((await latestOfStore(client)) === revision) {
    await client.rollBack(String(revision - 1), { isForced: true });
    return;
  }
  // What waits for a confirmation cannot be changed; confirmed, it goes at once.
  await client.confirm(String(revision));
  const { changes } = await client.historyEntry(String(revision));
  for (const { id, before } of changes) {
    const [type = '', namespace = '', name = ''] = id.split('/');
    const ref = { type, name, ...(namespace === '' ? {} : { namespace }) } as ObjectRef;
    if (before === undefined || before === null) await client.delete(ref, { isForced: true });
    else await client.replace(ref, withoutVersion(before as unknown as Manifest), { isForced: true });
  }
  printWarning('others have changed the store since: only what was promoted is taken back');
}

/** Changes of files do not matter, however many have come since: they stay in any case. */
async function latestOfStore(client: ResourceClient): Promise<number | undefined> {
  for (let from: string | undefined; ; ) {
    const { items, metadata } = await client.history(HISTORY_PAGE, from);
    const latest = items.find(({ verb }) => verb !== 'edit');
    if (latest !== undefined || metadata.continue === undefined) return latest?.revision;
    from = metadata.continue;
  }
}

async function dropStaged(client: ResourceClient, objects: readonly StagedObject[]): Promise<void> {
  for (const { type, namespace, name } of objects) {
    try {
      await client.delete({ type, name, ...(namespace === undefined ? {} : { namespace }) });
    } catch (error) {
      if (!(error instanceof DataplaneError)) throw error;
      printWarning(`${name} stays staged as well: ${error.message}`);
    }
  }
}

function tierOf({ spec }: Manifest): string {
  const { tier } = (spec ?? {}) as { readonly tier?: unknown };
  return typeof tier === 'string' && tier !== '' ? tier : 'default';
}

function withoutVersion(manifest: Manifest): Manifest {
  const { resourceVersion: _, ...metadata } = (manifest.metadata ?? {}) as Record<string, unknown>;
  return { ...manifest, metadata };
}
