// tortie block: sources whose packets are dropped before the kernel makes anything of them.
import type { Command } from 'commander';
import type { BlockOutcome, BlockReport, BlockTest } from '../../agent/block/block-service.ts';
import { sshConnectionOf } from '../../agent/ssh-connection.ts';
import { DataplaneError } from '../../base/errors.ts';
import { askAgent, sendToAgent } from '../agent-client.ts';
import { describeOutcome, describeTest, formatEntries, formatFeeds, formatWide } from '../block-text.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption, socketOption } from '../options.ts';
import { type OutputFormat, print, printData, printWarning } from '../output.ts';
import { openPrefixFile } from '../prefix-file.ts';

interface BlockFlags {
  readonly socket: string;
  readonly output: OutputFormat;
}

interface TermFlags extends BlockFlags {
  readonly ttl?: string;
  readonly reason?: string;
  readonly force?: boolean;
  readonly fromFile?: string;
}

/** A list of millions is read, sorted and compiled before the agent answers. */
const UPLOAD_MS = 300_000;
const FILE_FORMAT =
  'A file has one address or prefix a line; empty lines and what is behind # or ; do not count. Bad lines are told with their\n' +
  'numbers (exit code 3), and the rest is blocked. Files over 512 MiB are refused.';
const LOCK_OUT =
  'What contains the address of your SSH session, of any SSH session with this machine, of a default gateway or of a name\n' +
  'server, or meets fe80::/10, is refused: --force blocks it all the same.';

export function fillBlockCommand(command: Command): void {
  command.addHelpText(
    'after',
    `
Packets from blocked sources are dropped by XDP on the machine's own interfaces (setting guardInterfaces), whatever policy says,
at a cost that does not depend on how many are blocked. What is blocked stays so when the agent ends, and after a reboot from
the moment that the agent starts.

${LOCK_OUT}

Examples:
  tortie block add 203.0.113.7 198.51.100.0/24 --ttl 1h --reason 'SYN flood'
  tortie block list
  tortie block test 203.0.113.7
  tortie block remove 203.0.113.7
  tortie block feed add drop --from-file drop.txt --ttl 7d`,
  );
  addAdd(command);
  command
    .command('remove <cidr...>')
    .description('take entries out of the list, all of them or none; a feed is taken away with: block feed remove')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (cidrs: string[], flags: BlockFlags) => {
      await report(await askAgent<BlockOutcome>(flags.socket, 'POST', '/block/remove', { cidrs }), flags);
    });
  command
    .command('list')
    .description('entries and feeds with their end, where they are dropped, and how many packets were')
    .addOption(socketOption())
    .addOption(outputOption().choices(['table', 'wide', 'json', 'yaml']))
    .action(list);
  command
    .command('test <address>')
    .description('whether packets from an address are dropped, and which entries and feeds say so; exit code 1 if not')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(test);
  fillFeedCommand(command.command('feed').description('named lists of many prefixes, each replaced at once'));
}

function addAdd(command: Command): void {
  const add = command
    .command('add [cidr...]')
    .description('block addresses and prefixes; in force when the command ends, and kept until --ttl or block remove')
    .option('--from-file <path>', 'also those of a file, up to 100000 entries; - = standard input');
  addTerms(add)
    .addHelpText('after', `\n${FILE_FORMAT}\n\n${LOCK_OUT}`)
    .action(async (cidrs: string[], flags: TermFlags) => {
      const { socket, fromFile, ttl, reason, force } = flags;
      if (cidrs.length === 0 && fromFile === undefined) throw nothingNamed();
      // What is named is checked before a file is read: it is all or nothing.
      if (cidrs.length > 0) {
        const session = sshConnectionOf(process.pid);
        const body = { cidrs, ttl, reason, session, force };
        await report(await askAgent<BlockOutcome>(socket, 'POST', '/block/add', body), flags);
      }
      if (fromFile !== undefined) await report(await upload('POST', '/block/file', fromFile, flags), flags);
    });
}

function fillFeedCommand(feed: Command): void {
  const add = feed
    .command('add <name>')
    .description('block every prefix of a file, in the place of what the feed of that name had before: at once')
    .requiredOption('--from-file <path>', 'up to 10 million prefixes; - = standard input');
  addTerms(add)
    .addHelpText('after', `\n${FILE_FORMAT}\n\n${LOCK_OUT}`)
    .action(async (name: string, flags: TermFlags & { fromFile: string }) => {
      await report(await upload('PUT', feedPath(name), flags.fromFile, flags), flags);
    });
  feed
    .command('remove <name>')
    .description('take a feed away; what other feeds or entries block stays blocked')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (name: string, flags: BlockFlags) => {
      await report(await askAgent<BlockOutcome>(flags.socket, 'DELETE', feedPath(name)), flags);
    });
  feed
    .command('list')
    .description('every feed with the number of its prefixes and its end')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ socket, output }: BlockFlags) => {
      const { feedList } = await askAgent<BlockReport>(socket, 'GET', '/block');
      await printData(feedList, output, () => formatFeeds(feedList, Date.now()));
    });
}

function addTerms(command: Command): Command {
  return command
    .option('--ttl <time>', 'for so long: 90s, 30m, 1h, 7d, 2w (default: until it is removed)')
    .option('--reason <text>', 'kept with it and shown by block list')
    .option('--force', 'even what locks somebody out')
    .addOption(socketOption())
    .addOption(outputOption());
}

async function upload(method: 'POST' | 'PUT', path: string, file: string, flags: TermFlags): Promise<BlockOutcome> {
  const { socket, ttl, reason, force } = flags;
  const body = openPrefixFile(file);
  const query = { ttl, reason, force, session: sshConnectionOf(process.pid) };
  const asked = { method, path, query, body, contentType: 'text/plain', timeoutMs: UPLOAD_MS };
  return (await sendToAgent<BlockOutcome>(socket, asked)).body;
}

async function report(outcome: BlockOutcome, { output }: BlockFlags): Promise<void> {
  await printData(outcome, output, () => describeOutcome(outcome));
  if (outcome.warning !== null) {
    printWarning(`not in force everywhere: ${outcome.warning}`);
    process.exitCode = EXIT.NOT_READY;
  }
  if (outcome.badCount > 0) process.exitCode = EXIT.INVALID;
}

async function list({ socket, output }: { socket: string; output: OutputFormat | 'wide' }): Promise<void> {
  const found = await askAgent<BlockReport>(socket, 'GET', '/block');
  if (output === 'wide') print(formatWide(found, Date.now()));
  else await printData(found, output, () => formatEntries(found, Date.now()));
}

async function test(address: string, { socket, output }: BlockFlags): Promise<void> {
  const answer = await askAgent<BlockTest>(socket, 'GET', `/block/test?address=${encodeURIComponent(address)}`);
  await printData(answer, output, () => describeTest(answer));
  if (!answer.isBlocked) process.exitCode = EXIT.FAILED;
}

function feedPath(name: string): string {
  return `/block/feeds/${encodeURIComponent(name)}`;
}

function nothingNamed(): DataplaneError {
  return new DataplaneError('USAGE', 'nothing is named', {
    operation: 'block add',
    target: 'command line',
    expected: 'addresses, prefixes, or --from-file',
  });
}
