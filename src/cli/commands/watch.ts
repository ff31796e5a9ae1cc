// tortie watch: objects of one kind, and every change of them as it comes.
import type { Command } from 'commander';
import { allNamespacesOption, namespaceOption, objectOutputOption, selectorOption } from '../object-options.ts';
import { followObjects, type WatchFlags } from '../object-watch.ts';
import { socketOption, wholeNumber } from '../options.ts';

const HELP = `
Goes on through restarts of the agent, from the revision seen last. Changes of manifest files
are shown once they are in force, with the revision that history gives them.

Examples:
  tortie watch gnp
  tortie watch np -A -o json --since 120    changes after revision 120, one JSON object a line`;

export function fillWatchCommand(command: Command): void {
  command
    .addOption(namespaceOption())
    .addOption(allNamespacesOption())
    .addOption(selectorOption())
    .option('--since <revision>', 'changes after this revision, and nothing that was there before')
    .option('--timeout <seconds>', 'end after so long', wholeNumber(1))
    .option('--no-headers', 'no header above the table')
    .option('--show-labels', 'a column of labels')
    .addOption(objectOutputOption('how to show objects; json and yaml say what has happened'))
    .addOption(socketOption())
    .addHelpText('after', HELP)
    .action((kind: string, name: string | undefined, flags: WatchFlags) =>
      followObjects(name === undefined ? [kind] : [kind, name], { ...flags, outputWatchEvents: true }),
    );
}
