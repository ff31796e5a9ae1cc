// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian: what a capture needs of them. Pure.

export type PcapLink = 'ethernet' | 'ip';
/** As the interface sees it. */
export type PcapDirection = 'inbound' | 'outbound';

export interface SectionInfo {
  readonly hardware?: string;
  readonly os?: string;
  readonly application?: string;
}

export interface InterfaceInfo {
  readonly name: string;
  readonly link: PcapLink;
  /** Most bytes of a packet. */
  readonly snapBytes: number;
}

export interface PacketInfo {
  /** Position of its interface block in the section. */
  readonly interfaceId: number;
  /** Since 1970. */
  readonly timeNs: bigint;
  readonly bytes: Uint8Array;
  /** That there were. */
  readonly length: number;
  readonly comment?: string;
  readonly direction?: PcapDirection;
}

export interface StatisticsInfo {
  readonly interfaceId: number;
  readonly timeNs: bigint;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly received: bigint;
  readonly dropped: bigint;
  readonly comment?: string;
}

const BLOCK = { SECTION: 0x0a0d0d0a, INTERFACE: 1, STATISTICS: 5, PACKET: 6 } as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINK_TYPE: Readonly<Record<PcapLink, number>> = { ethernet: 1, ip: 101 };
const DIRECTION: Readonly<Record<PcapDirection, number>> = { inbound: 1, outbound: 2 };
const OPTION = { END: 0, COMMENT: 1 } as const;
const SECTION_OPTION = { HARDWARE: 2, OS: 3, APPLICATION: 4 } as const;
const INTERFACE_OPTION = { NAME: 2, TIME_RESOLUTION: 9 } as const;
const PACKET_OPTION = { FLAGS: 2 } as const;
const STATISTICS_OPTION = { START: 2, END: 3, RECEIVED: 4, DROPPED: 5 } as const;
/** Of seconds: ten to the power of minus nine. */
const NANOSECONDS = 9;
const MAX_OPTION_BYTES = 65_535;
/** Type and both lengths. */
const FRAME_BYTES = 12;

/** Begins a file, or a part of one with interfaces of its own. */
export function sectionHeader({ hardware, os, application }: SectionInfo): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // How long the section is nobody knows yet.
  view.setBigUint64(8, 0xffff_ffff_ffff_ffffn, true);
  return block(BLOCK.SECTION, body, [
    textOption(SECTION_OPTION.HARDWARE, hardware),
    textOption(SECTION_OPTION.OS, os),
    textOption(SECTION_OPTION.APPLICATION, application),
  ]);
}

export function interfaceDescription({ name, link, snapBytes }: InterfaceInfo): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, LINK_TYPE[link], true);
  view.setUint32(4, snapBytes, true);
  return block(BLOCK.INTERFACE, body, [
    textOption(INTERFACE_OPTION.NAME, name),
    option(INTERFACE_OPTION.TIME_RESOLUTION, Uint8Array.of(NANOSECONDS)),
  ]);
}

export function enhancedPacket(packet: PacketInfo): Uint8Array {
  const { interfaceId, timeNs, bytes, length, comment, direction } = packet;
  const body = new Uint8Array(20 + padded(bytes.byteLength));
  const view = new DataView(body.buffer);
  view.setUint32(0, interfaceId, true);
  setTime(view, 4, timeNs);
  view.setUint32(12, bytes.byteLength, true);
  view.setUint32(16, Math.max(length, bytes.byteLength), true);
  body.set(bytes, 20);
  return block(BLOCK.PACKET, body, [
    textOption(OPTION.COMMENT, comment),
    direction === undefined ? NOTHING : option(PACKET_OPTION.FLAGS, u32(DIRECTION[direction])),
  ]);
}

/** What was seen at an interface, and what of it is not in the file. */
export function interfaceStatistics(statistics: StatisticsInfo): Uint8Array {
  const { interfaceId, timeNs, startNs, endNs, received, dropped, comment } = statistics;
  const body = new Uint8Array(12);
  const view = new DataView(body.buffer);
  view.setUint32(0, interfaceId, true);
  setTime(view, 4, timeNs);
  return block(BLOCK.STATISTICS, body, [
    textOption(OPTION.COMMENT, comment),
    option(STATISTICS_OPTION.START, time(startNs)),
    option(STATISTICS_OPTION.END, time(endNs)),
    option(STATISTICS_OPTION.RECEIVED, u64(received)),
    option(STATISTICS_OPTION.DROPPED, u64(dropped)),
  ]);
}

const NOTHING = new Uint8Array();

function block(type: number, body: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const given = options.filter(({ byteLength }) => byteLength > 0);
  const all = given.length === 0 ? [body] : [body, ...given, option(OPTION.END, NOTHING)];
  const length = FRAME_BYTES + all.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let at = 8;
  for (const part of all) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  view.setUint32(at, length, true);
  return bytes;
}

/** Nothing, where there is no text. */
function textOption(code: number, text: string | undefined): Uint8Array {
  if (text === undefined || text === '') return NOTHING;
  const bytes: number[] = [];
  for (const character of text) {
    const encoded = utf8(character.codePointAt(0) as number);
    if (bytes.length + encoded.length > MAX_OPTION_BYTES) break;
    bytes.push(...encoded);
  }
  return option(code, Uint8Array.from(bytes));
}

/** Half of a surrogate pair is no character. */
function utf8(point: number): number[] {
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), 0x80 | (point & 0x3f)];
  if (point >= 0xd800 && point < 0xe000) return utf8(0xfffd);
  const tail = [0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)];
  if (point < 0x10000) return [0xe0 | (point >> 12), ...tail];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), ...tail];
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.byteLength));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.byteLength, true);
  bytes.set(value, 4);
  return bytes;
}

/** Upper half first, whatever the byte order. */
function setTime(view: DataView, at: number, timeNs: bigint): void {
  view.setUint32(at, Number(BigInt.asUintN(32, timeNs >> 32n)), true);
  view.setUint32(at + 4, Number(BigInt.asUintN(32, timeNs)), true);
}

function time(timeNs: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  setTime(new DataView(bytes.buffer), 0, timeNs);
  return bytes;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
