// One command line of the product, in this process, with what it prints.
import { run } from '../../src/cli/program.ts';

export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error, in the order in which they were written. */
  readonly output: string;
  /** Standard output alone. */
  readonly answer: string;
}

/** `onAnswer` gets all of standard output there is, whenever it grows. Not for commands that run side by side: the process has one. */
export async function runCommand(
  words: readonly string[],
  onAnswer: (soFar: string) => void = () => undefined,
): Promise<CommandResult> {
  const all: string[] = [];
  const answer: string[] = [];
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => {
    all.push(String(text));
    answer.push(String(text));
    onAnswer(answer.join(''));
    return true;
  };
  process.stderr.write = (text: string | Uint8Array) => all.push(String(text)) > 0;
  try {
    const code = await run(['node', 'tortie', ...words]);
    process.exitCode = 0;
    return { code, output: all.join(''), answer: answer.join('') };
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
}
