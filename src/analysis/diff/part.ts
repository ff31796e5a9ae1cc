// Pieces of sentences, and how lists and numbers are written in them.

/** One piece of a description. */
export interface Part {
  readonly text: string;
  /** The same without its namespace, which `{namespace}` stands for, and without counts. */
  readonly template?: string;
  readonly namespace?: string;
}

/** So many names are shown before the rest is counted. */
const SHOWN = 6;

export function listShortly(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(', ');
  return `${names.slice(0, SHOWN - 1).join(', ')} and ${grouped(names.length - SHOWN + 1)} more`;
}

export function plural(number: number | bigint, noun: string): string {
  return `${grouped(number)} ${noun}${Number(number) === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}

/** 12345 as 12,345. */
export function grouped(number: number | bigint): string {
  return String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}
