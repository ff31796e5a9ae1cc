// Which ranges of addresses make neighbour discovery link-scope: it passes before policy, so that no policy can change
// it. The ranges say what src/model/link-scope.ts says of single flows.
import type { Family } from '../../model/address.ts';
import { type AddressRange, rangeOf } from './address-ranges.ts';

const UNSPECIFIED = rangeOf({ family: 6, words: [0, 0, 0, 0], length: 128 });
const LINK_LOCAL = rangeOf({ family: 6, words: [0xfe800000, 0, 0, 0], length: 10 });
const LINK_MULTICAST = rangeOf({ family: 6, words: [0xff020000, 0, 0, 0], length: 16 });

/** Whether each of the ranges lies wholly where a sender, or a receiver, makes it so. */
export function isLinkScope(ranges: readonly (AddressRange & { readonly family: Family })[]): {
  readonly source: boolean;
  readonly destination: boolean;
} {
  const allIn = (blocks: readonly AddressRange[]): boolean =>
    ranges.every(
      ({ family, first, last }) => family === 6 && blocks.some((block) => block.first <= first && last <= block.last),
    );
  return { source: allIn([UNSPECIFIED, LINK_LOCAL]), destination: allIn([LINK_LOCAL, LINK_MULTICAST]) };
}
