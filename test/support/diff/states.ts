// States to compare, from manifests in memory.
import { loadStates } from '../../../src/agent/policy-states.ts';
import { parseDocuments } from '../../../src/resources/document.ts';
import { mergeFiles, type ResourceSnapshot } from '../../../src/resources/sources/snapshot.ts';
import type { Manifest } from '../worlds/manifests.ts';

export function snapshotOf(manifests: readonly Manifest[]): ResourceSnapshot {
  const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  return mergeFiles([parseDocuments(text, 'generated.yaml')], []);
}

export function statesOf(before: readonly Manifest[], after: readonly Manifest[]): ReturnType<typeof loadStates> {
  return loadStates(snapshotOf(before), snapshotOf(after));
}
