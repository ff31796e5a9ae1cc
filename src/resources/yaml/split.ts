// A YAML stream -> its documents, by their `---` lines: a line that starts so is a marker wherever it stands.

export interface DocumentText {
  readonly text: string;
  /** Offset of the text in the stream. */
  readonly start: number;
  /** 1-based line of the text's first line in the stream. */
  readonly firstLine: number;
}

/** Documents with some content. undefined when the stream has directives, end markers or content behind a marker: it must be parsed as a whole. */
export function splitDocuments(stream: string): DocumentText[] | undefined {
  if (/^(?:%|\.\.\.)/m.test(stream)) return undefined;
  const documents: DocumentText[] = [];
  const marker = /^---[^\n]*(?:\n|$)/gm;
  let start = 0;
  let firstLine = 1;
  for (let match = marker.exec(stream); match !== null; match = marker.exec(stream)) {
    if (!/^---[ \t\r]*(?:[ \t]#.*)?\n?$/.test(match[0])) {
      // `---x` starts no document: it is content like any other.
      if (!/^---[ \t]/.test(match[0])) continue;
      return undefined;
    }
    const text = stream.slice(start, match.index);
    if (!isBlank(text)) documents.push({ text, start, firstLine });
    firstLine += countNewlines(text) + 1;
    start = marker.lastIndex;
    if (start === stream.length) break;
  }
  const rest = stream.slice(start);
  if (!isBlank(rest)) documents.push({ text: rest, start, firstLine });
  return documents;
}

function isBlank(text: string): boolean {
  return !/\S/.test(text);
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
