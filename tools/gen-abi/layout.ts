// Decides what may cross the kernel/user boundary, and refuses everything else: the rules of bpf/abi in one place.
// How it is written in TypeScript is the emitters' business.
import type { BtfMember, BtfType } from './btf.ts';

export type Scalar = {
  readonly kind: 'scalar';
  readonly size: 1 | 2 | 4 | 8;
  readonly isSigned: boolean;
  readonly isBigEndian: boolean;
};
export type FieldType =
  | Scalar
  | { readonly kind: 'struct'; readonly name: string; readonly size: number }
  | { readonly kind: 'array'; readonly element: FieldType; readonly length: number };

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly type: FieldType;
  readonly isPadding: boolean;
}

export interface StructLayout {
  readonly kind: 'struct';
  readonly name: string;
  readonly size: number;
  readonly fields: readonly Field[];
}

export interface EnumLayout {
  readonly kind: 'enum';
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

export type Layout = StructLayout | EnumLayout;

const PREFIX = 'tt_';
const EXPORT_PREFIX = 'export_';

/** Types that the object exports by `export_<name>` pointers, checked, in the order of the exports. Throws Error. */
export function readLayouts(types: readonly BtfType[]): Layout[] {
  const layouts = types.flatMap((type) => {
    if (type.kind !== 'variable' || !type.name.startsWith(EXPORT_PREFIX)) return [];
    const pointer = types[type.type];
    const target = pointer?.kind === 'pointer' ? types[pointer.type] : undefined;
    if (target?.kind !== 'struct' && target?.kind !== 'union' && target?.kind !== 'enum') {
      throw new Error(`${type.name} must point to a complete struct or enum`);
    }
    return [readLayout(types, target)];
  });
  refuseDoubles(types, layouts);
  return layouts;
}

/** Layouts of all prefixed structs of any object, unchecked by the rules of crossing: size and offset of each member. */
export function readShapes(types: readonly BtfType[]): Map<string, string> {
  const shapes = new Map<string, string>();
  for (const type of types) {
    if (type.kind !== 'struct' || !type.name.startsWith(PREFIX)) continue;
    const members = type.members.map(({ name, bitOffset }) => `${name}@${bitOffset / 8}`);
    shapes.set(type.name, `${type.size} bytes: ${members.join(' ')}`);
  }
  return shapes;
}

function readLayout(types: readonly BtfType[], type: BtfType): Layout {
  if (type.kind === 'union') throw new Error(`union ${type.name}: unions do not cross: write one struct for each case`);
  if (type.kind !== 'struct' && type.kind !== 'enum') throw new Error('only structs and enums cross');
  if (!type.name.startsWith(PREFIX))
    throw new Error(`${type.kind} ${type.name}: names that cross begin with ${PREFIX}`);
  if (type.kind === 'enum') return { kind: 'enum', name: type.name, values: type.values };
  const fields = type.members.map((member) => readField(types, type.name, member));
  refuseHoles(type.name, type.size, fields);
  return { kind: 'struct', name: type.name, size: type.size, fields };
}

function readField(types: readonly BtfType[], struct: string, member: BtfMember): Field {
  const where = `struct ${struct}.${member.name}`;
  if (member.bitSize > 0 || member.bitOffset % 8 !== 0)
    throw new Error(`${where}: bitfields do not cross: use a mask in a whole field`);
  const type = readFieldType(types, where, member.type);
  const offset = member.bitOffset / 8;
  if (offset % alignmentOf(types, member.type) !== 0)
    throw new Error(`${where}: packed: offset ${offset} is not aligned`);
  return { name: member.name, offset, type, isPadding: /^_pad\d*$/.test(member.name) };
}

function readFieldType(types: readonly BtfType[], where: string, id: number): FieldType {
  const type = types[id];
  switch (type?.kind) {
    case 'modifier':
      return readFieldType(types, where, type.type);
    case 'typedef':
      return readScalar(where, type.name);
    case 'array':
      return { kind: 'array', element: readFieldType(types, where, type.type), length: type.length };
    case 'enum':
      return { kind: 'scalar', size: 4, isSigned: false, isBigEndian: false };
    case 'struct':
      if (!type.name.startsWith(PREFIX))
        throw new Error(`${where}: struct ${type.name || '(unnamed)'} has no ${PREFIX} name`);
      return { kind: 'struct', name: type.name, size: type.size };
    case 'union':
      throw new Error(`${where}: unions do not cross: write one struct for each case`);
    case 'pointer':
      throw new Error(`${where}: pointers do not cross`);
    default:
      throw new Error(
        `${where}: only __u8..__u64, __s8..__s64, __be16..__be64, enums, structs and arrays of them cross`,
      );
  }
}

function readScalar(where: string, name: string): Scalar {
  const found = /^__(u|s|be)(8|16|32|64)$/.exec(name);
  if (found === null) throw new Error(`${where}: ${name} is not one of __u8..__u64, __s8..__s64, __be16..__be64`);
  return {
    kind: 'scalar',
    size: (Number(found[2]) / 8) as Scalar['size'],
    isSigned: found[1] === 's',
    isBigEndian: found[1] === 'be',
  };
}

function alignmentOf(types: readonly BtfType[], id: number): number {
  const type = types[id];
  switch (type?.kind) {
    case 'typedef':
    case 'modifier':
    case 'array':
      return alignmentOf(types, type.type);
    case 'struct':
      return Math.max(1, ...type.members.map((member) => alignmentOf(types, member.type)));
    case 'int':
    case 'enum':
      return type.size;
    default:
      return 1;
  }
}

export function sizeOf(type: FieldType): number {
  return type.kind === 'array' ? type.length * sizeOf(type.element) : type.size;
}

/** Bytes that nobody names hold garbage on the C side and break comparing keys. */
function refuseHoles(struct: string, size: number, fields: readonly Field[]): void {
  let end = 0;
  for (const field of fields) {
    if (field.offset !== end) {
      throw new Error(
        `struct ${struct}: ${field.offset - end} bytes of implicit padding before ${field.name}: write _pad`,
      );
    }
    end = field.offset + sizeOf(field.type);
  }
  if (end !== size) throw new Error(`struct ${struct}: ${size - end} bytes of tail padding: write _pad`);
}

function refuseDoubles(types: readonly BtfType[], layouts: readonly Layout[]): void {
  const names = new Set(layouts.map(({ name }) => name));
  const seen = new Set<string>();
  for (const type of types) {
    if ((type.kind !== 'struct' && type.kind !== 'enum' && type.kind !== 'union') || !names.has(type.name)) continue;
    if (seen.has(type.name)) throw new Error(`${type.name} names two types`);
    seen.add(type.name);
  }
}
