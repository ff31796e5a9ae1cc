// A page for operators, as one who follows it reads it: its sections, and the commands in them.

/** Text by heading, of whatever level. */
export function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^#+ (.+)$/m);
  return new Map(parts.flatMap((title, index) => (index % 2 === 1 ? [[title, parts[index + 1] ?? ''] as const] : [])));
}

/** Commands in lines of prose, of these programs. */
export function inlineCommandsOf(text: string, programs: readonly string[]): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const spoken = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);
  return [...new Set(spoken.filter((words) => programs.some((program) => words.startsWith(`${program} `))))];
}
