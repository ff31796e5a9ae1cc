// Reads BTF (Documentation/bpf/btf.rst of Linux 6.18) into plain types. What of it may cross the boundary is layout.ts's
// business.
import { readSection, readText } from './elf.ts';

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 = not a bitfield. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: number;
}

export type BtfType =
  | { readonly kind: 'void' }
  | { readonly kind: 'int'; readonly name: string; readonly size: number; readonly isSigned: boolean }
  | { readonly kind: 'pointer'; readonly type: number }
  | { readonly kind: 'array'; readonly type: number; readonly length: number }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | { readonly kind: 'enum'; readonly name: string; readonly size: number; readonly values: readonly BtfEnumerator[] }
  | { readonly kind: 'typedef'; readonly name: string; readonly type: number }
  | { readonly kind: 'modifier'; readonly type: number }
  | { readonly kind: 'variable'; readonly name: string; readonly type: number }
  | { readonly kind: 'other'; readonly name: string };

/** BTF_KIND_*, include/uapi/linux/btf.h. */
const Kind = {
  INT: 1,
  POINTER: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FORWARD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNCTION: 12,
  FUNCTION_PROTOTYPE: 13,
  VARIABLE: 14,
  DATA_SECTION: 15,
  FLOAT: 16,
  DECLARATION_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

interface Header {
  readonly view: DataView;
  readonly text: (offset: number) => string;
}

interface TypeRecord extends Header {
  readonly at: number;
  readonly name: string;
  readonly kind: number;
  readonly count: number;
  readonly flag: boolean;
  /** Size in bytes, or type id, as the kind has it. */
  readonly sizeOrType: number;
}

/** All types of an object file, indexed by type id; id 0 is void. Throws Error on damaged or unknown BTF. */
export function readBtf(file: Uint8Array): BtfType[] {
  const section = readSection(file, '.BTF');
  if (section.getUint16(0, true) !== 0xeb9f) throw new Error('section .BTF is not little-endian BTF');
  const headerSize = section.getUint32(4, true);
  const typesAt = headerSize + section.getUint32(8, true);
  const typesEnd = typesAt + section.getUint32(12, true);
  const textAt = headerSize + section.getUint32(16, true);
  const text = (offset: number): string => readText(section, textAt + offset);
  const types: BtfType[] = [{ kind: 'void' }];
  for (let at = typesAt; at < typesEnd; ) {
    const record = readRecord({ view: section, text }, at);
    types.push(readType(record));
    at += 12 + trailerSize(record);
  }
  return types;
}

function readRecord({ view, text }: Header, at: number): TypeRecord {
  const info = view.getUint32(at + 4, true);
  return {
    view,
    text,
    at,
    name: text(view.getUint32(at, true)),
    kind: (info >>> 24) & 0x1f,
    count: info & 0xffff,
    flag: info >>> 31 === 1,
    sizeOrType: view.getUint32(at + 8, true),
  };
}

function trailerSize({ kind, count }: TypeRecord): number {
  switch (kind) {
    case Kind.INT:
    case Kind.VARIABLE:
    case Kind.DECLARATION_TAG:
      return 4;
    case Kind.ARRAY:
      return 12;
    case Kind.STRUCT:
    case Kind.UNION:
    case Kind.DATA_SECTION:
    case Kind.ENUM64:
      return 12 * count;
    case Kind.ENUM:
    case Kind.FUNCTION_PROTOTYPE:
      return 8 * count;
    default:
      return 0;
  }
}

function readType(record: TypeRecord): BtfType {
  const { view, at, name, kind, sizeOrType } = record;
  switch (kind) {
    case Kind.INT:
      return { kind: 'int', name, size: sizeOrType, isSigned: ((view.getUint32(at + 12, true) >>> 24) & 1) === 1 };
    case Kind.POINTER:
      return { kind: 'pointer', type: sizeOrType };
    case Kind.ARRAY:
      return { kind: 'array', type: view.getUint32(at + 12, true), length: view.getUint32(at + 20, true) };
    case Kind.STRUCT:
    case Kind.UNION:
      return { kind: kind === Kind.STRUCT ? 'struct' : 'union', name, size: sizeOrType, members: readMembers(record) };
    case Kind.ENUM:
      return { kind: 'enum', name, size: sizeOrType, values: readEnumerators(record) };
    case Kind.TYPEDEF:
      return { kind: 'typedef', name, type: sizeOrType };
    case Kind.VOLATILE:
    case Kind.CONST:
    case Kind.RESTRICT:
    case Kind.TYPE_TAG:
      return { kind: 'modifier', type: sizeOrType };
    case Kind.VARIABLE:
      return { kind: 'variable', name, type: sizeOrType };
    default:
      if (kind === 0 || kind > Kind.ENUM64) throw new Error(`BTF kind ${kind} is not known`);
      return { kind: 'other', name };
  }
}

function readMembers({ view, text, at, count, flag }: TypeRecord): BtfMember[] {
  return Array.from({ length: count }, (_, index) => {
    const member = at + 12 + 12 * index;
    const offset = view.getUint32(member + 8, true);
    return {
      name: text(view.getUint32(member, true)),
      type: view.getUint32(member + 4, true),
      bitOffset: flag ? offset & 0xffffff : offset,
      bitSize: flag ? offset >>> 24 : 0,
    };
  });
}

/** The flag says that values are signed (clang 15 and newer say so). */
function readEnumerators({ view, text, at, count, flag }: TypeRecord): BtfEnumerator[] {
  return Array.from({ length: count }, (_, index) => {
    const enumerator = at + 12 + 8 * index;
    const value = flag ? view.getInt32(enumerator + 4, true) : view.getUint32(enumerator + 4, true);
    return { name: text(view.getUint32(enumerator, true)), value };
  });
}
