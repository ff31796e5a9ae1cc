// What a compile makes: where an image begins, what must be written of it, and how large it is. Plain data.
import type { Classification } from './classification.ts';
import type { Region } from './region.ts';

/** Entry points of an image: struct tt_root without its generation. */
export interface ImageRoot {
  readonly v4Root: number;
  readonly v6Root: number;
  readonly l4Classes: number;
  readonly sourceClasses: number;
  readonly policies: number;
  /** Header of this image, and its length: what finding all its regions again takes (adoption.ts). */
  readonly directory: number;
  readonly directoryRegions: number;
}

export interface TableImage {
  readonly root: ImageRoot;
  /** Id of each endpoint, and of each scope of host endpoints (hostListKey): where its two policy bases are. */
  readonly endpointIds: ReadonlyMap<string, number>;
  /** What must be copied from the stores: regions that were not there in the image before, neighbours joined. */
  readonly written: { readonly heap: readonly Region[]; readonly v6Nodes: readonly Region[] };
  readonly counts: ImageCounts;
  /** How addresses, layer-4 indexes and source ports were divided; of addresses valid until the next compile. */
  readonly classification: Classification;
}

export interface ImageCounts {
  /** Workload endpoints. */
  readonly endpoints: number;
  readonly policyLists: number;
  /** Of all lists, each list's own. */
  readonly rules: number;
  readonly prefixes: number;
  readonly addressClasses: number;
  readonly l4Classes: number;
  readonly sourcePortClasses: number;
}
