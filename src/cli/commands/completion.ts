// tortie completion: the script that lets a shell complete its command lines, and the answers that the script asks for.
import { Argument, type Command } from 'commander';
import { type Completion, complete, type Live } from '../completion/candidates.ts';
import { FILE_LINES, SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { print } from '../output.ts';

const HELP = `
bash:  source <(tortie completion bash), in ~/.bashrc; or write it to /etc/bash_completion.d/tortie
zsh:   tortie completion zsh > "\${fpath[1]}/_tortie"
fish:  tortie completion fish > ~/.config/fish/completions/tortie.fish

Kinds and options come from the command itself, names of objects, namespaces and revisions from the running agent.`;

const MAX_MEANING = 80;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('write the script with which a shell completes command lines')
    .addArgument(new Argument('<shell>').choices([...SHELLS]))
    .addHelpText('after', HELP)
    .action((shell: Shell) => print(SCRIPTS[shell]));
}

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
