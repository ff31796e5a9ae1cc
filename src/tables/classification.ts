// How packets were divided into classes, for one image. Plain data, put together by TableCompiler.
import type { AddressPartition } from './address-classes.ts';
import type { Partition } from './number-classes.ts';

/** The parts of an image that lists are compiled against. */
export interface Classification {
  readonly addresses: AddressPartition;
  readonly l4: Partition;
  readonly sourcePorts: Partition;
}
