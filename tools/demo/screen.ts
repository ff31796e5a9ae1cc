// What the demo writes: calm lines that fit 80 columns. What they say is decided elsewhere.
import { paint } from '../../src/cli/output.ts';

export const COLUMNS = 80;

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A line that begins the next part. */
export function saySection(text: string): void {
  say();
  say(paint(text, 'bold'));
}

/** A line under a section. */
export function sayDetail(text: string): void {
  say(`  ${text}`);
}

/** ✓ for what got through, ✗ for what did not; with an exclamation mark where that is wrong. */
export function mark(isOpen: boolean, isRight: boolean): string {
  const sign = isOpen ? paint('✓', 'green') : paint('✗', 'red');
  return isRight ? `${sign} ` : `${sign}${paint('!', 'yellow')}`;
}

export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Cut to so many columns, with a sign that it was. */
export function truncate(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}
