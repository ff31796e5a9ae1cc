// What maps of a built object are like, as text: an agent takes over pinned maps only where all of this is the same.
import type { BtfType } from './btf.ts';

/**
 * Lines on each map of these names that the object has: kind, flags, room and what keys and values are made of. `records` are
 * further structs, which no map names. Throws Error for a struct that the object does not have.
 */
export function describeLayout(
  types: readonly BtfType[],
  maps: readonly string[],
  records: readonly string[] = [],
): string[] {
  const structs = new Set<number>();
  const lines = maps.toSorted().flatMap((name) => describeMap(types, name, structs));
  for (const record of records) structs.add(structNamed(types, record));
  // A set that grows while it is read is read to its end: members may be structs.
  const shapes: string[] = [];
  for (const id of structs) shapes.push(describeStruct(types, id, structs));
  return [...lines, ...shapes.toSorted()];
}

function describeMap(types: readonly BtfType[], name: string, structs: Set<number>): string[] {
  const variable = types.find((type) => type.kind === 'variable' && type.name === name);
  const definition = variable?.kind === 'variable' ? types[variable.type] : undefined;
  if (definition?.kind !== 'struct') return [];
  const attributes = definition.members.map((member) => {
    const pointer = types[member.type];
    const target = pointer?.kind === 'pointer' ? pointer.type : 0;
    const type = types[target];
    // libbpf's __uint(): the number is the length of an array.
    if (type?.kind === 'array' && member.name !== 'key' && member.name !== 'value') {
      return `${member.name} ${type.length}`;
    }
    return `${member.name} ${nameOf(types, target, structs)}`;
  });
  return [`map ${name}: ${attributes.join(', ')}`];
}

function describeStruct(types: readonly BtfType[], id: number, structs: Set<number>): string {
  const type = types[id] as Extract<BtfType, { kind: 'struct' | 'union' }>;
  const members = type.members.map(
    (member) => `\n  ${String(member.bitOffset / 8).padStart(6)} ${nameOf(types, member.type, structs)} ${member.name}`,
  );
  return `struct ${type.name}, ${type.size} bytes${members.join('')}`;
}

function nameOf(types: readonly BtfType[], id: number, structs: Set<number>): string {
  const type = types[id];
  switch (type?.kind) {
    case 'struct':
    case 'union':
      structs.add(id);
      return `struct ${type.name}`;
    case 'array':
      return `${nameOf(types, type.type, structs)}[${type.length}]`;
    case 'modifier':
      return nameOf(types, type.type, structs);
    case 'typedef':
    case 'int':
    case 'enum':
      return type.name;
    default:
      return type?.kind ?? 'nothing';
  }
}

function structNamed(types: readonly BtfType[], name: string): number {
  const id = types.findIndex((type) => type.kind === 'struct' && type.name === name);
  if (id < 0) throw new Error(`struct ${name}: the object has none`);
  return id;
}
