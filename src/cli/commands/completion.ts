// tortie completion: the script that lets a shell complete its command lines. What the script asks for is completion/answer.ts.
import type { Command } from 'commander';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { argumentOf } from '../options.ts';
import { print } from '../output.ts';

const HELP = `
bash:  source <(tortie completion bash), in ~/.bashrc; or write it to /etc/bash_completion.d/tortie
zsh:   tortie completion zsh > "\${fpath[1]}/_tortie"
fish:  tortie completion fish > ~/.config/fish/completions/tortie.fish

Kinds and options come from the command itself, names of objects, namespaces and revisions from the running agent.`;

export function fillCompletionCommand(command: Command): void {
  argumentOf(command, 'shell').choices([...SHELLS]);
  command.addHelpText('after', HELP).action((shell: Shell) => print(SCRIPTS[shell]));
}
