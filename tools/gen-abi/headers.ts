// What only the header texts know: which file a type is written in, and the comments. Never offsets: those are BTF's.

export interface Header {
  /** Without folder and suffix: `flow` for bpf/abi/flow.h. */
  readonly name: string;
  readonly text: string;
}

export interface Definition {
  readonly header: string;
  /** Comment above the definition, one line; empty if none. */
  readonly comment: string;
  /** Comment behind each member or enumerator, by its name. */
  readonly members: ReadonlyMap<string, string>;
}

/** Every `struct x {` and `enum x {` by its C name. Throws Error on a second definition and on `#if` variants. */
export function readDefinitions(headers: readonly Header[]): Map<string, Definition> {
  const definitions = new Map<string, Definition>();
  for (const { name, text } of headers) {
    refuseVariants(name, text);
    for (const found of text.matchAll(/^(?:struct|enum|union) (\w+) \{\n([\s\S]*?)^\}/gm)) {
      const [, type = '', body = ''] = found;
      const earlier = definitions.get(type);
      if (earlier !== undefined) throw new Error(`${type} is defined twice: in ${earlier.header}.h and in ${name}.h`);
      const comment = commentBefore(text.slice(0, found.index));
      definitions.set(type, { header: name, comment, members: memberComments(body) });
    }
  }
  return definitions;
}

/** An include guard is the one condition that a header may have: a layout must not depend on who compiles it. */
function refuseVariants(name: string, text: string): void {
  const conditions = text.split('\n').filter((line) => /^\s*#\s*(if|elif|else)/.test(line));
  const variant = conditions.find((line, index) => index > 0 || !/^#ifndef \w+_H$/.test(line));
  if (variant !== undefined) throw new Error(`${name}.h: a layout must not have variants: ${variant.trim()}`);
}

function commentBefore(text: string): string {
  const found = /\/\*((?:(?!\*\/)[\s\S])*)\*\/\n$/.exec(text);
  return found === null ? '' : oneLine(found[1] ?? '');
}

function memberComments(body: string): Map<string, string> {
  const comments = new Map<string, string>();
  for (const line of body.split('\n')) {
    const found = /^\s*(?:[\w ]*\b)?(\w+)(?:\[\d+\])?(?: = [^,;]+)?[,;]\s*\/\* (.*?) \*\/\s*$/.exec(line);
    if (found !== null) comments.set(found[1] ?? '', found[2] ?? '');
  }
  return comments;
}

function oneLine(comment: string): string {
  return comment
    .replace(/\n\s*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
