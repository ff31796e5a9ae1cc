// The answer to a shell that asks how a command line goes on, in the form that its script reads.
import type { Command } from 'commander';
import { type Completion, complete, type Live } from './candidates.ts';
import { FILE_LINES } from './scripts.ts';

const MAX_MEANING = 80;

/** A line for each word that may come next: the word, a tab, what it means. */
export async function answerCompletion(program: Command, words: readonly string[], live: Live): Promise<string> {
  const { candidates, files }: Completion = await complete(program, words, live);
  const lines = candidates.map(({ word, meaning = '' }) => (meaning === '' ? word : `${word}\t${shorten(meaning)}`));
  return [...lines, ...(files === undefined ? [] : [FILE_LINES[files]])].map((line) => `${line}\n`).join('');
}

function shorten(meaning: string): string {
  const [line = ''] = meaning.split('\n');
  return line.length > MAX_MEANING ? `${line.slice(0, MAX_MEANING - 3)}...` : line;
}
