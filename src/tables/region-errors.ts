// What can be wrong with a region. Part of RegionStore, which throws it.
import { DataplaneError } from '../base/errors.ts';
import type { RegionStoreOptions } from './region.ts';

/** Uses are not counted as they should be. */
export function regionMissing(operation: string, store: string, offset: number): DataplaneError {
  return new DataplaneError('INTERNAL', 'no region there', { operation, target: `${store}+${offset}` });
}

/** No room for `size` more words where regions take `used`. */
export function storeFull(
  { name, capacity, setting, most }: RegionStoreOptions,
  used: number,
  size: number,
): DataplaneError {
  const hint =
    capacity < most
      ? `raise ${setting}, which counts from the next start after tortie cleanup, or have fewer rules`
      : `${setting} is at its maximum: have fewer rules, or make the change in parts`;
  return new DataplaneError('TABLE_FULL', 'the compiled policy does not fit', {
    operation: 'compile tables',
    target: name,
    found: `${used} of ${capacity} words used and ${size} more needed`,
    expected: 'room for the old and the new policy side by side',
    hint,
  });
}
