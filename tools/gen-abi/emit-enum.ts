// TypeScript text for one enum: its constants and, where its values count up, their names and help texts.
import type { Definition } from './headers.ts';
import type { EnumLayout } from './layout.ts';
import { enumeratorNames, typeName, valueName } from './names.ts';

/** Enumerator that counts the others; it has no meaning of its own. */
const COUNT = /_COUNT$/;

/** The declarations, one string without a trailing line break each. */
export function emitEnum(layout: EnumLayout, definition: Definition): string[] {
  const type = typeName(layout.name);
  const keys = enumeratorNames(
    layout.name,
    layout.values.map(({ name }) => name),
  );
  const lines = layout.values.map(({ name, value }, index) => {
    const comment = definition.members.get(name);
    return `${comment === undefined ? '' : `  /** ${comment} */\n`}  ${keys[index]}: ${value},`;
  });
  const comment = definition.comment === '' ? '' : ` ${definition.comment}`;
  const parts = [
    `/** enum ${layout.name}.${comment} */`,
    `export const ${type} = Object.freeze({\n${lines.join('\n')}\n} as const);`,
    `export type ${type} = (typeof ${type})[keyof typeof ${type}];`,
  ];
  const emitted = [parts.slice(0, 2).join('\n'), parts[2] as string];
  if (isCounting(layout)) emitted.push(emitName(layout));
  const help = helpOf(layout, definition);
  if (help !== undefined) emitted.push(emitHelp(layout, help));
  return emitted;
}

/** Flags, sizes and bases are combined or computed with; only values in a row name one thing each. */
function isCounting({ values }: EnumLayout): boolean {
  const first = values[0]?.value ?? 0;
  return values.length > 1 && values.every(({ value }, index) => value === first + index);
}

function emitName({ name, values }: EnumLayout): string {
  const keys = enumeratorNames(
    name,
    values.map((enumerator) => enumerator.name),
  );
  const names = new Map(values.map(({ value }, index) => [value, keys[index] as string]));
  return emitLookup(
    name,
    'Name',
    names,
    'The constant of that value; the number as text if there is none.',
    'String(value)',
  );
}

/** A table of texts by value and the function that reads it. A literal over several lines stays so under Biome. */
function emitLookup(
  name: string,
  suffix: string,
  texts: Map<number, string>,
  comment: string,
  otherwise: string,
): string {
  const call = `${valueName(name)}${suffix}`;
  return [
    `const ${call}s: Readonly<Record<number, string>> = Object.freeze({`,
    ...[...texts].map(([value, text]) => `  ${value}: ${quote(text)},`),
    '});',
    '',
    `/** ${comment} */`,
    `export function ${call}(value: number): string {`,
    `  return ${call}s[value] ?? ${otherwise};`,
    '}',
  ].join('\n');
}

/** Help texts by value, if every enumerator but a closing count has one. */
function helpOf(layout: EnumLayout, definition: Definition): Map<number, string> | undefined {
  const texts = new Map<number, string>();
  for (const { name, value } of layout.values.filter((enumerator) => !COUNT.test(enumerator.name))) {
    const text = definition.members.get(name);
    if (text === undefined) return undefined;
    texts.set(value, text);
  }
  return isCounting(layout) ? texts : undefined;
}

function emitHelp({ name }: EnumLayout, texts: Map<number, string>): string {
  return emitLookup(
    name,
    'Help',
    texts,
    'What the value means, as the header says it; empty if there is no such value.',
    "''",
  );
}

/** As Biome quotes: single, unless that needs more escapes. */
function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\');
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
}
