// Who is behind each interface and which interface an address is behind: tt_endpoints, tt_addresses, tt_sources.
// A packet finds an endpoint's old entry or its new one, never half of either.

import { CaptureBits } from '../abi/capture.gen.ts';
import {
  decodeEndpoint,
  Endpoint,
  EndpointDims,
  EndpointFlags,
  encodeEndpoint,
  encodeLocal,
  encodeSourceKey,
  Local,
  SourceKey,
} from '../abi/endpoint.gen.ts';
import { DataplaneError } from '../base/errors.ts';
import type { Cidr, IpAddress } from '../model/address.ts';
import { hostCidr } from '../model/address.ts';
import { MapSync } from './map-sync.ts';
import type { BpfMap } from './native.ts';
import { ShadowedWords } from './shadowed-words.ts';

/** A workload endpoint at an interface that exists. */
export interface BoundEndpoint {
  readonly key: string;
  /** Index of its policy bases, from the image. */
  readonly id: number;
  readonly ifindex: number;
  /** Of the host's side. */
  readonly hostMac: string;
  /** Of the workload's side; empty = not known. */
  readonly mac: string;
  /** The interface is a veth whose other end has that mac: frames may be handed to the other end at once. */
  readonly peerDelivery: boolean;
  /** Frames from the workload must come from mac. */
  readonly checkMac: boolean;
  readonly mtu: number;
  readonly addresses: readonly IpAddress[];
  readonly allowedSourcePrefixes: readonly Cidr[];
}

/** What an endpoint comes to in the maps, encoded once for as long as the endpoint stays as it is. */
interface Encoded {
  readonly endpoint: BoundEndpoint;
  readonly entry: Uint32Array;
  /** Keys as MapSync has them. */
  readonly addressKeys: readonly string[];
  readonly sourceKeys: readonly string[];
  /** What sourceKeys must not include. */
  readonly barredKeys: readonly string[];
}

const MAY_SEND = Uint8Array.of(1, 0, 0, 0);
const MAY_NOT_SEND = new Uint8Array(4);
/** ::ffff:0:0/96, where the programs keep IPv4. */
const MAPPED_BITS = 96;
const MAPPED_WORDS = [0, 0, 0xffff, 0];
const ENTRY_WORDS = Endpoint.SIZE / 4;
const IFINDEX_WORD = Endpoint.OFFSET.ifindex / 4;
const FLAGS_WORD = Endpoint.OFFSET.flags / 4;

export class EndpointWriter {
  readonly #words: Uint32Array;
  readonly #entries: ShadowedWords;
  readonly #slotCount: number;
  readonly #addresses: MapSync;
  readonly #sources: MapSync;
  /** Entries that others have replaced: cleared when no program can be reading them. */
  #replaced: number[] = [];
  #encoded = new Map<string, Encoded>();
  /** What the maps hold, in the order that it was written in, but for what was refused; undefined = not known. */
  #inForce: readonly Encoded[] | undefined;
  #refused: ReadonlyMap<number, DataplaneError> = new Map();
  /** See mark. */
  #marks: ReadonlyMap<string, number> = new Map();

  constructor(maps: { readonly endpoints: BpfMap; readonly addresses: BpfMap; readonly sources: BpfMap }) {
    const memory = maps.endpoints.mmap();
    this.#words = new Uint32Array(memory);
    // Whoever wanted their packets is gone.
    for (let at = FLAGS_WORD; at < this.#words.length; at += ENTRY_WORDS) {
      if (this.#words[at] !== 0) Atomics.and(this.#words, at, ~CaptureBits.BOTH);
    }
    this.#entries = new ShadowedWords(this.#words, ENTRY_WORDS, IFINDEX_WORD);
    this.#slotCount = maps.endpoints.info.maxEntries;
    this.#addresses = new MapSync(maps.addresses);
    this.#sources = new MapSync(maps.sources);
  }

  /** Endpoint ids that the kernel has, by ifindex. */
  idsByIfindex(): Map<number, number> {
    const ids = new Map<number, number>();
    for (let slot = 0; slot < this.#slotCount; slot += 1) {
      const { ifindex, id } = decodeEndpoint(new DataView(this.#words.buffer), slot * Endpoint.SIZE);
      if (ifindex !== 0) ids.set(ifindex, id);
    }
    return ids;
  }

  /**
   * Before an image is put in force: what it no longer has stops (their packets drop). Returns whether there was any.
   */
  removeAllBut(endpoints: readonly BoundEndpoint[]): boolean {
    const encoded = this.#encode(endpoints);
    if (this.#isInForce(encoded)) return false;
    this.#inForce = undefined;
    let hasRemoved = false;
    const ifindexes = new Set(endpoints.map(({ ifindex }) => ifindex));
    for (let slot = 0; slot < this.#slotCount; slot += 1) {
      const ifindex = this.#entries.keyOf(slot);
      if (ifindex === 0 || ifindexes.has(ifindex)) continue;
      this.#entries.clear(slot);
      hasRemoved = true;
    }
    this.#addresses.removeAllBut(this.#addressRows(encoded));
    this.#sources.removeAllBut(sourceRows(encoded));
    return hasRemoved;
  }

  /** TABLE_FULL by interface number, for each endpoint that had no free slot: its packets drop, the others are in. */
  get refused(): ReadonlyMap<number, DataplaneError> {
    return this.#refused;
  }

  /** After the image is in force. What then has no slot is in `refused`. Throws KERNEL. */
  writeAll(endpoints: readonly BoundEndpoint[]): void {
    const encoded = this.#encode(endpoints);
    if (!this.#isInForce(encoded)) this.#writeEncoded(encoded);
  }

  /**
   * Once no program can be reading what writeAll replaced: endpoints that were refused have another chance. Returns whether that
   * changed anything.
   */
  clearReplaced(): boolean {
    const [replaced, refused] = [this.#replaced, this.#refused];
    for (const slot of replaced) this.#entries.clear(slot);
    this.#replaced = [];
    if (replaced.length === 0 || refused.size === 0 || this.#inForce === undefined) return false;
    this.#writeEncoded(this.#inForce);
    return this.#refused.size < refused.size;
  }

  /** Undoes what others wrote to the maps. Returns how many rows of each map that were; not while a change is under way. */
  restore(): Readonly<Record<string, number>> {
    return {
      tt_endpoints: this.#entries.restore(),
      tt_addresses: this.#addresses.restore(),
      tt_sources: this.#sources.restore(),
    };
  }

  /** Whose packets are captured: bits of enum tt_capture_bits by endpoint key, from when it is here. False = as before. */
  mark(marks: ReadonlyMap<string, number>): boolean {
    let isChanged = false;
    this.#marks = marks;
    for (const { endpoint, entry } of this.#encoded.values()) {
      const flags = ((entry[FLAGS_WORD] as number) & ~CaptureBits.BOTH) | (marks.get(endpoint.key) ?? 0);
      if (entry[FLAGS_WORD] === flags) continue;
      isChanged = true;
      entry[FLAGS_WORD] = flags;
      for (const slot of this.#probe(endpoint.ifindex)) {
        if (this.#entries.keyOf(slot) === endpoint.ifindex) this.#entries.store(slot, FLAGS_WORD, flags);
      }
    }
    return isChanged;
  }

  /** Keys of those that are here, by interface number. */
  placesOf(keys: ReadonlySet<string>): Map<number, string> {
    const here = [...this.#encoded.values()].filter(({ endpoint }) => keys.has(endpoint.key));
    return new Map(here.map(({ endpoint }) => [endpoint.ifindex, endpoint.key]));
  }

  /** Puts the endpoint behind another interface number as well, in the first slot that is searched for it. */
  alias(ifindex: number, endpoint: BoundEndpoint): void {
    const slot = this.#probe(ifindex)[0] as number;
    this.#words.set(encodeEntry({ ...endpoint, ifindex }), slot * ENTRY_WORDS);
  }

  #writeEncoded(encoded: readonly Encoded[]): void {
    this.#inForce = undefined;
    this.#sources.writeAll(sourceRows(encoded));
    const refused = encoded.filter((each) => !this.#write(each)).map(({ endpoint }) => endpoint);
    this.#addresses.writeAll(this.#addressRows(encoded));
    this.#refused = new Map(refused.map((endpoint) => [endpoint.ifindex, noSlot(endpoint, this.#slotCount)]));
    this.#inForce = encoded;
  }

  /** Endpoints that stay as they are keep what was made of them. */
  #encode(endpoints: readonly BoundEndpoint[]): Encoded[] {
    const encoded = new Map<string, Encoded>();
    const all = endpoints.map((endpoint) => {
      const before = this.#encoded.get(endpoint.key);
      const mark = this.#marks.get(endpoint.key) ?? 0;
      const each = before !== undefined && isSame(before.endpoint, endpoint) ? before : encode(endpoint, mark);
      encoded.set(endpoint.key, each);
      return each;
    });
    this.#encoded = encoded;
    return all;
  }

  #isInForce(encoded: readonly Encoded[]): boolean {
    const inForce = this.#inForce;
    return inForce?.length === encoded.length && encoded.every((each, index) => each === inForce[index]);
  }

  #write({ endpoint, entry }: Encoded): boolean {
    const slots = this.#probe(endpoint.ifindex);
    const [current, ...stale] = slots.filter((slot) => this.#entries.keyOf(slot) === endpoint.ifindex);
    this.#replaced.push(...stale);
    if (current !== undefined && this.#entries.holds(current, entry)) return true;
    const free = slots.find((slot) => this.#entries.keyOf(slot) === 0);
    if (free === undefined && current !== undefined) this.#entries.clear(current);
    const target = free ?? current;
    if (target === undefined) return false;
    this.#entries.write(target, entry);
    if (current !== undefined && current !== target) this.#replaced.push(current);
    return true;
  }

  #addressRows(encoded: readonly Encoded[]): Map<string, Uint8Array> {
    const rows = new Map<string, Uint8Array>();
    for (const { endpoint, addressKeys } of encoded) {
      const { id, ifindex } = endpoint;
      const slot = this.#probe(ifindex).find(
        (candidate) => this.#entries.keyOf(candidate) === ifindex && !this.#replaced.includes(candidate),
      );
      if (slot === undefined) continue;
      const value = new Uint8Array(Local.SIZE);
      encodeLocal(new DataView(value.buffer), 0, { slot, id });
      for (const key of addressKeys) rows.set(key, value);
    }
    return rows;
  }

  /** Slots where the programs look for an interface, in their order. */
  #probe(ifindex: number): number[] {
    return Array.from({ length: EndpointDims.PROBES }, (_, probe) => (ifindex + probe) & (this.#slotCount - 1));
  }
}

function encodeEntry(endpoint: BoundEndpoint, mark = 0): Uint32Array {
  const { id, ifindex, mtu, mac, hostMac, addresses, allowedSourcePrefixes, checkMac, peerDelivery } = endpoint;
  const first = (family: 4 | 6): IpAddress | undefined => addresses.find((address) => address.family === family);
  const hasMore = allowedSourcePrefixes.length > 0 || addresses.some((address) => address !== first(address.family));
  const entry = new Uint32Array(ENTRY_WORDS);
  encodeEndpoint(new DataView(entry.buffer), 0, {
    ifindex,
    flags:
      EndpointFlags.READY |
      (hasMore ? EndpointFlags.MORE_SOURCES : 0) |
      (peerDelivery ? EndpointFlags.PEER_DELIVERY : 0) |
      (mac !== '' && checkMac ? EndpointFlags.MAC_CHECK : 0) |
      mark,
    id,
    mtu,
    mac: macBytes(mac),
    host_mac: macBytes(hostMac),
    v4: { word: mappedWords(first(4)) },
    v6: { word: mappedWords(first(6)) },
  });
  return entry;
}

/** What each endpoint may send from. */
function sourceRows(encoded: readonly Encoded[]): Map<string, Uint8Array> {
  const rows = new Map<string, Uint8Array>();
  for (const { sourceKeys, barredKeys } of encoded) {
    for (const key of barredKeys) rows.set(key, MAY_NOT_SEND);
    for (const key of sourceKeys) rows.set(key, MAY_SEND);
  }
  return rows;
}

/**
 * IPv6 packets never come from ::ffff:0:0/96. A prefix within allows nothing; one around it must not allow IPv4, which
 * the programs keep there.
 */
function encode(endpoint: BoundEndpoint, mark: number): Encoded {
  const { id, addresses, allowedSourcePrefixes } = endpoint;
  const sources = [...addresses.map(hostCidr), ...allowedSourcePrefixes];
  const isAroundIpv4 = sources.some((cidr) => overlapsMapped(cidr) && cidr.length < MAPPED_BITS);
  return {
    endpoint,
    entry: encodeEntry(endpoint, mark),
    addressKeys: addresses.map((address) => Buffer.from(addressBytes(address)).toString('hex')),
    sourceKeys: sources
      .filter((cidr) => !overlapsMapped(cidr) || cidr.length < MAPPED_BITS)
      .map((cidr) => sourceKey(id, cidr)),
    barredKeys: isAroundIpv4 ? [sourceKey(id, { family: 6, words: MAPPED_WORDS, length: MAPPED_BITS })] : [],
  };
}

function overlapsMapped({ family, words, length }: Cidr): boolean {
  const bits = Math.min(length, MAPPED_BITS);
  return (
    family === 6 &&
    MAPPED_WORDS.every((word, index) => {
      const used = Math.max(0, Math.min(32, bits - 32 * index));
      return used === 0 || (word ^ (words[index] as number)) >>> (32 - used) === 0;
    })
  );
}

function sourceKey(id: number, cidr: Cidr): string {
  const key = new Uint8Array(SourceKey.SIZE);
  encodeSourceKey(new DataView(key.buffer), 0, {
    prefix_length: 32 + (cidr.family === 4 ? 96 : 0) + cidr.length,
    endpoint_id: id,
    address: { word: mappedWords(cidr) },
  });
  return Buffer.from(key).toString('hex');
}

/** Lists are frozen with their manifest: the same content in another list counts as a change, which costs little. */
function isSame(a: BoundEndpoint, b: BoundEndpoint): boolean {
  return (
    a.id === b.id &&
    a.ifindex === b.ifindex &&
    a.mtu === b.mtu &&
    a.mac === b.mac &&
    a.hostMac === b.hostMac &&
    a.peerDelivery === b.peerDelivery &&
    a.checkMac === b.checkMac &&
    a.addresses === b.addresses &&
    a.allowedSourcePrefixes === b.allowedSourcePrefixes
  );
}

/** Words of struct tt_address: IPv4 as ::ffff:a.b.c.d; all zero for none. */
export function mappedWords(address: IpAddress | undefined): number[] {
  if (address === undefined) return [0, 0, 0, 0];
  return address.family === 4 ? [0, 0, 0xffff, address.words[0] as number] : [...address.words];
}

function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of mappedWords(address).entries()) view.setUint32(4 * index, word);
  return bytes;
}

function macBytes(mac: string): Uint8Array {
  return mac === '' ? new Uint8Array(6) : Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16));
}

function noSlot({ key, ifindex }: BoundEndpoint, slots: number): DataplaneError {
  return new DataplaneError('TABLE_FULL', `no free slot near interface number ${ifindex}`, {
    operation: 'write endpoint',
    target: key,
    found: `${EndpointDims.PROBES} neighbouring slots of ${slots} taken`,
    hint: 'it gets one when an interface near it leaves: have fewer endpoints on this node',
  });
}
