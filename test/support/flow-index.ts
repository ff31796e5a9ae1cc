// Entries of the flow table that a test writes itself, in the place of programs.
import { FlowBucket, FlowDims } from '../../src/abi/flow.gen.ts';

/** Has the index of the first region name a place, and returns what the entry calls that (`named_by`). */
export function nameInIndex(memory: DataView, place: number): number {
  const bucket = FlowDims.REGION_HEAD + Math.floor(place / FlowDims.WAYS) * FlowBucket.SIZE;
  const lane = 2 * (place % FlowDims.WAYS);
  memory.setUint16(bucket + FlowBucket.OFFSET.entry + lane, place, true);
  memory.setUint16(bucket + FlowBucket.OFFSET.tag + lane, 1, true);
  return 1 + place;
}
