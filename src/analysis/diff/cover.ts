// All changes of a family as few (rectangle, packets) as can be found: either layer by layer, or piece by piece, where a
// piece is packets that change together wherever they change.
import { addAll, type BitSet } from '../../tables/bit-sets.ts';
import type { ChangeKind, ChangeLayer, LayerRow } from './change-layers.ts';
import type { FamilyChanges } from './changes.ts';
import type { PacketSetId, PacketSpace } from './packet-space.ts';
import { coverLayer, type Rectangle } from './rectangles.ts';

/** All these packets change between all these groups. */
export interface CoveredChange {
  readonly kind: ChangeKind;
  readonly packets: PacketSetId;
  readonly rectangle: Rectangle;
}

/** With more layers there are too many pieces to try. */
const MAX_LAYERS = 64;

/** Together exactly the changes. */
export function coverChanges({ layers, spare }: FamilyChanges, space: PacketSpace): CoveredChange[] {
  return (['lost', 'gained'] as const).flatMap((kind) => {
    const own = layers.filter((layer) => layer.kind === kind);
    const byLayer = coverEach(own, spare, space);
    if (own.length < 2 || own.length > MAX_LAYERS) return byLayer;
    const byPiece = coverEach(piecesOf(own, space), spare, space);
    return byPiece.length <= byLayer.length ? byPiece : byLayer;
  });
}

/** Rectangles of several layers that are the same are told together. */
function coverEach(layers: readonly ChangeLayer[], spare: FamilyChanges['spare'], space: PacketSpace): CoveredChange[] {
  const found = new Map<string, { kind: ChangeKind; rectangle: Rectangle; bits: BitSet }>();
  for (const layer of layers) {
    for (const rectangle of coverLayer(layer, spare)) {
      const key = `${rectangle.sources.join()}>${rectangle.destinations.join()}`;
      const known = found.get(key) ?? { kind: layer.kind, rectangle, bits: emptyLike(space.bitsOf(layer.packets)) };
      addAll(known.bits, space.bitsOf(layer.packets));
      found.set(key, known);
    }
  }
  return [...found.values()].map(({ kind, rectangle, bits }) => ({ kind, rectangle, packets: space.intern(bits) }));
}

/** Divides the packets of all layers: two are in one piece when they are in the same layers. */
function piecesOf(layers: readonly ChangeLayer[], space: PacketSpace): ChangeLayer[] {
  const pieces = new Map<string, { bits: BitSet; layers: ChangeLayer[] }>();
  const sets = layers.map(({ packets }) => space.bitsOf(packets));
  const words = sets[0]?.length ?? 0;
  for (let bit = 0; bit < 32 * words; bit += 1) {
    const inside = layers.filter(
      (_, index) => ((((sets[index] as BitSet)[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1,
    );
    if (inside.length === 0) continue;
    const key = inside.map(({ packets }) => packets).join();
    const piece = pieces.get(key) ?? { bits: new Uint32Array(words), layers: inside };
    piece.bits[bit >>> 5] = (piece.bits[bit >>> 5] as number) | (1 << (bit & 31));
    pieces.set(key, piece);
  }
  return [...pieces.values()].map(({ bits, layers: inside }) => ({
    kind: (inside[0] as ChangeLayer).kind,
    packets: space.intern(bits),
    rows: joinRows(inside),
  }));
}

/** A cell is in one layer of a kind only, so that rows of different layers never overlap. */
function joinRows(layers: readonly ChangeLayer[]): LayerRow[] {
  const joined = new Map<number, BitSet>();
  for (const { source, cells } of layers.flatMap(({ rows }) => rows)) {
    const known = joined.get(source);
    if (known === undefined) joined.set(source, cells.slice());
    else addAll(known, cells);
  }
  return [...joined].sort(([a], [b]) => a - b).map(([source, cells]) => ({ source, cells }));
}

function emptyLike(bits: BitSet): BitSet {
  return new Uint32Array(bits.length);
}
