// Text that others chose (names, labels, reasons) where it must not act: on a terminal, in a spreadsheet, in XML or DOT.

/** Controls, what turns the direction of text, what is not seen, and halves of characters. */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;

/** For a terminal: what would act on it is written as an escape, on one line. */
export function visibleText(text: string): string {
  return text.replaceAll(ACTING, escapeOf);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of our own are what must stay
const OWN = /\u001b\[\d+m|[\n\t]/;
const OWN_OR_ACTING = new RegExp(`${OWN.source}|${ACTING.source}`, 'gu');

/** Lines that are painted already: colours, ends of lines and tabs stay, whatever else would act on a terminal does not. */
export function visibleLines(text: string): string {
  return text.replaceAll(OWN_OR_ACTING, (found) => (OWN.test(found) ? found : escapeOf(found)));
}

/** JSON of one line that is safe on a terminal, and the same value to whoever reads it. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(ACTING, escapeOf);
}

/** Of RFC 4180. What a spreadsheet would take for a formula is text there, by a quote in front. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const visible = visibleText(value);
  const text = /^\s*[=+\-@|%]/.test(visible) ? `'${visible}` : visible;
  return /[",;]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

export function xmlText(text: string): string {
  return visibleText(text).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A quoted string of DOT. */
export function dotText(text: string): string {
  return `"${visibleText(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function escapeOf(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}
