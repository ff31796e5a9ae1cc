// TypeScript text for one struct: size and offsets, the interface, and the codec between it and bytes.
import type { Definition } from './headers.ts';
import { type Field, type FieldType, type Scalar, type StructLayout, sizeOf } from './layout.ts';
import { typeName } from './names.ts';

/** Name of the function that a file with arrays needs; see emitLengthCheck. */
export const LENGTH_CHECK = 'ofLength';

/** The declarations, one string without a trailing line break each. */
export function emitStruct(layout: StructLayout, definition: Definition): string[] {
  const type = typeName(layout.name);
  const fields = layout.fields.filter((field) => !field.isPadding);
  return [
    [
      ...emitPicture(layout, definition),
      `export const ${type} = Object.freeze({`,
      `  SIZE: ${layout.size},`,
      '  OFFSET: Object.freeze({',
      ...fields.map(({ name, offset }) => `    ${name}: ${offset},`),
      '  } as const),',
      '} as const);',
    ].join('\n'),
    [
      `export interface ${type} {`,
      ...fields.flatMap((field) => [
        ...emitComment(definition, field),
        `  readonly ${field.name}: ${fieldType(field.type)};`,
      ]),
      '}',
    ].join('\n'),
    [
      `/** Writes ${layout.size} bytes at \`at\`, padding included. Throws RangeError if an array has another length. */`,
      `export function encode${type}(view: DataView, at: number, value: ${type}): void {`,
      ...layout.fields.flatMap(emitEncode),
      '}',
    ].join('\n'),
    [
      `/** Reads ${layout.size} bytes at \`at\`; the result does not share memory with them. */`,
      `export function decode${type}(view: DataView, at: number): ${type} {`,
      '  return {',
      ...fields.map(({ name, type: of, offset }) => `    ${name}: ${decodeExpression(of, offset)},`),
      '  };',
      '}',
    ].join('\n'),
  ];
}

/** The function for arrays, once in each file that has some. */
export function emitLengthCheck(): string {
  return [
    `function ${LENGTH_CHECK}<T extends { readonly length: number }>(list: T, length: number, field: string): T {`,
    '  if (list.length === length) return list;',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the generated code holds the template
    '  throw new RangeError(`${field} must have ${length} elements, got ${list.length}`);',
    '}',
  ].join('\n');
}

/** Does the struct's codec call the length check? */
export function hasArrays(layout: StructLayout): boolean {
  return layout.fields.some((field) => !field.isPadding && field.type.kind === 'array');
}

function emitPicture(layout: StructLayout, definition: Definition): string[] {
  const width = String(layout.size).length;
  const rows = layout.fields.map(
    ({ name, offset, type }) => ` * ${String(offset).padStart(width + 2)}  ${cType(type, name)}`,
  );
  const comment = definition.comment === '' ? '' : ` ${definition.comment}`;
  return ['/**', ...wrap(`struct ${layout.name}, ${layout.size} bytes.${comment}`), ' *', ...rows, ' */'];
}

function wrap(text: string): string[] {
  const lines = [' *'];
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= 118) lines[lines.length - 1] = line;
    else lines.push(` * ${word}`);
  }
  return lines;
}

function emitComment(definition: Definition, field: Field): string[] {
  const comment = definition.members.get(field.name);
  return comment === undefined ? [] : [`  /** ${comment} */`];
}

function cType(type: FieldType, name: string): string {
  if (type.kind === 'array') return cType(type.element, `${name}[${type.length}]`);
  if (type.kind === 'struct') return `struct ${type.name} ${name}`;
  return `${type.isBigEndian ? '__be' : type.isSigned ? '__s' : '__u'}${type.size * 8} ${name}`;
}

function isBytes(type: FieldType): boolean {
  return type.kind === 'array' && type.element.kind === 'scalar' && type.element.size === 1 && !type.element.isSigned;
}

function fieldType(type: FieldType): string {
  if (type.kind === 'struct') return typeName(type.name);
  if (type.kind === 'scalar') return type.size === 8 ? 'bigint' : 'number';
  return isBytes(type) ? 'Uint8Array' : `readonly ${fieldType(type.element)}[]`;
}

function accessor({ size, isSigned }: Scalar): string {
  return `${size === 8 ? 'Big' : ''}${isSigned ? 'Int' : 'Uint'}${size * 8}`;
}

function order({ size, isBigEndian }: Scalar): string {
  return size === 1 || isBigEndian ? '' : ', true';
}

function plus(at: string, offset: number | string): string {
  return offset === 0 ? at : `${at} + ${offset}`;
}

function bytesAt(at: string, length: number): string {
  return `new Uint8Array(view.buffer, view.byteOffset + ${at}, ${length})`;
}

function emitEncode({ name, offset, type, isPadding }: Field): string[] {
  const at = plus('at', offset);
  if (isPadding) return [`  ${bytesAt(at, sizeOf(type))}.fill(0);`];
  if (type.kind !== 'array') return [`  ${encodeStatement(type, at, `value.${name}`)}`];
  const list = `${LENGTH_CHECK}(value.${name}, ${type.length}, '${name}')`;
  if (isBytes(type)) return [`  ${bytesAt(at, type.length)}.set(${list});`];
  const element = plus(at, `${sizeOf(type.element)} * index`);
  return [
    `  for (const [index, element] of ${list}.entries()) {`,
    `    ${encodeStatement(type.element, element, 'element')}`,
    '  }',
  ];
}

function encodeStatement(type: FieldType, at: string, value: string): string {
  if (type.kind === 'struct') return `encode${typeName(type.name)}(view, ${at}, ${value});`;
  if (type.kind === 'scalar') return `view.set${accessor(type)}(${at}, ${value}${order(type)});`;
  throw new Error('arrays of arrays do not cross: wrap the inner one in a struct');
}

function decodeExpression(type: FieldType, offset: number): string {
  const at = plus('at', offset);
  if (type.kind !== 'array') return decodeOne(type, at);
  if (isBytes(type)) return `${bytesAt(at, type.length)}.slice()`;
  const element = decodeOne(type.element, plus(at, `${sizeOf(type.element)} * index`));
  return `Array.from({ length: ${type.length} }, (_, index) => ${element})`;
}

function decodeOne(type: FieldType, at: string): string {
  if (type.kind === 'struct') return `decode${typeName(type.name)}(view, ${at})`;
  if (type.kind === 'scalar') return `view.get${accessor(type)}(${at}${order(type)})`;
  throw new Error('arrays of arrays do not cross: wrap the inner one in a struct');
}
