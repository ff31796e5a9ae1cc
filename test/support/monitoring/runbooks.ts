// The runbooks, and the commands in them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'docs/runbooks';
/** What commands of runbooks begin with, besides tortie. */
export const PROGRAMS: readonly string[] = ['curl', 'df', 'ip', 'journalctl', 'ss', 'systemctl', 'sysctl', 'timeout'];

/** Text by name of file, without the list of all. */
export function runbooks(project: string): Map<string, string> {
  const names = readdirSync(join(project, FOLDER)).filter((name) => name !== 'README.md');
  return new Map(names.map((name) => [name, readFileSync(join(project, FOLDER, name), 'utf8')]));
}

/** Lines of the blocks that are for a shell. */
export function commandsOf(text: string): string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line !== ''),
  );
}

/** Not to be run in a namespace: it is asked of systemd, which only a machine of its own has. */
export function needsServiceManager(command: string): boolean {
  return /^(systemctl|journalctl) /.test(command);
}

/** Commands that a line of prose tells to run; words in capitals stand for something. */
export function spokenIn(text: string): string[] {
  return [...text.matchAll(/`((?:tortie|systemctl|journalctl) [^`]+)`/g)].map(([, command = '']) => command);
}

/** Commands that the part "Do" tells to run, of whatever program; words in capitals stand for something. Fields with values are none. */
export function remediesOf(text: string): string[] {
  const [, part = ''] = text.split('\n## Do\n');
  const spoken = [...part.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);
  return [...new Set(spoken.filter((words) => /^[a-z][\w-]* \S/.test(words)))];
}
