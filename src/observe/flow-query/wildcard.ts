// Patterns of filters: text in which `*` stands for any characters, or none. Nothing else is special.

/** Whether all of the text is what the pattern describes. Takes time in proportion to the text for each `*` at most. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let star = -1;
  let resume = 0;
  while (inText < text.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern;
      inPattern += 1;
      resume = inText;
    } else if (pattern[inPattern] === text[inText]) {
      inPattern += 1;
      inText += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      resume += 1;
      inText = resume;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

export function hasWildcard(pattern: string): boolean {
  return pattern.includes('*');
}

/** Of SQL's LIKE, with `\` as ESCAPE. */
export function likePattern(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}

/** Of RE2, without anchors; what `*` stands for has none of the character that separates items. */
export function regexOf(pattern: string, separator: string): string {
  const any = `[^${separator}]*`;
  return pattern.split('*').map(quoteRegex).join(any);
}

function quoteRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
