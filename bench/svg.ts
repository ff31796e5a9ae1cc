// Drawings as text: the frame, colours and words that every figure of the report has. Readable on light and dark pages.
// What is drawn is in svg-bars.ts and svg-curves.ts.

export const WIDTH = 760;

/** Told apart also by those who do not see red and green: Okabe and Ito's palette. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#999999'] as const;

export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #222; }
  text.title { font-size: 15px; font-weight: 600; }
  text.quiet { fill: #666; }
  line, path { stroke: #888; fill: none; }
  line.grid { stroke: #ddd; }
  line.spread { stroke: #222; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #eee; }
    text.quiet { fill: #aaa; }
    line.grid { stroke: #444; }
    line.spread { stroke: #eee; }
  }`;

/** A whole drawing of this height around its parts. */
export function drawing(height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export interface TextStyle {
  readonly class?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const kind = style.class === undefined ? '' : ` class="${style.class}"`;
  const fill = style.colour === undefined ? '' : ` style="fill:${style.colour}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${style.anchor ?? 'start'}"${kind}${fill}>${escapeText(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
