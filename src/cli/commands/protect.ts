// tortie protect: policy for this very machine, proposed from what it is seen to do, previewed, put in force with a way back,
// and undone. What is proposed and why is src/analysis/protect.
import { type Command, Option } from 'commander';
import { proposalText } from '../../analysis/protect/proposal-text.ts';
import { type ProposalOptions, proposeProtection } from '../../analysis/protect/propose.ts';
import { DataplaneError } from '../../base/errors.ts';
import { type Cidr, parseCidr } from '../../model/address.ts';
import { EXIT } from '../exit-codes.ts';
import { socketOption } from '../options.ts';
import { print, printWarning } from '../output.ts';
import { applyProposal, undoProtection, unenforced } from '../protect-apply.ts';
import { type ProposalFile, proposalFile, readProposal, writeProposal } from '../protect-file.ts';
import { type LiveHost, openLiveHost } from '../protect-host.ts';
import { previewProposal } from '../protect-preview.ts';

interface ProtectFlags {
  readonly socket: string;
  readonly sshOnly?: true;
  readonly web?: true;
  readonly fromFile?: string;
  readonly output?: string;
  readonly egress: 'open' | 'seen';
  readonly sshFrom?: readonly string[];
  readonly interface?: readonly string[];
  readonly observe?: string;
  readonly preview?: string;
  readonly apply?: true;
  /** false = --no-confirm. */
  readonly confirm: string | false;
  readonly force?: true;
  readonly undo?: true;
}

const HELP = `
Without --apply nothing is changed: the proposal is printed as YAML, with the reason for every rule. It opens SSH and every service
that listens: to everybody where that is its purpose, else to those who are seen to use it now. What nobody is seen to use is closed,
and listed. --ssh-only and --web open nothing but that.

--apply puts it in force as one change, in the place of what an earlier one had put there, and takes it back by itself unless
\`tortie confirm\` comes in time: even if this session, the agent or the machine dies. A proposal that would cut your own session is
refused, --force applies it all the same.

From nothing to protected:
  tortie protect --output host.yaml           read it, edit it
  tortie protect --from-file host.yaml --preview 60s
  tortie protect --from-file host.yaml --apply --confirm 120s
  tortie confirm
and back:
  tortie protect --undo

Exit codes: 0 done, 1 the preview found flows that would be denied, 3 the file has errors, 4 it is stored, but this machine does not
enforce it (kernels before 6.4). See docs/hosts.md.`;

export function fillProtectCommand(command: Command): void {
  command
    .addOption(new Option('--ssh-only', 'open nothing but SSH').conflicts(['web', 'fromFile']))
    .addOption(new Option('--web', 'open SSH, HTTP and HTTPS').conflicts('fromFile'))
    .option('--from-file <file>', 'a proposal written before, instead of a new one; - = standard input')
    .option('--output <file>', 'write the proposal there instead of printing it')
    .addOption(
      new Option('--egress <which>', "the machine's own connections: all, or those it is seen to make")
        .choices(['open', 'seen'])
        .default('open'),
    )
    .option('--ssh-from <cidr...>', 'from where SSH may be used (default: from everywhere)')
    .option('--interface <name...>', 'judge these interfaces only (default: every one but loopback)')
    .option('--observe <time>', 'look for so long before proposing: 60s, 10m, 1h (default: once)')
    .option('--preview <time>', 'look for so long, and list which flows the proposal would deny')
    .option('--apply', 'put the proposal in force')
    .option('--confirm <time>', 'taken back after so long unless `tortie confirm` comes first', '120s')
    .option('--no-confirm', 'in force for good, at once')
    .option('--force', 'even if it cuts your session, or the preview finds flows that it denies')
    .addOption(
      new Option('--undo', 'take away what protect has put in force').conflicts(['apply', 'preview', 'fromFile']),
    )
    .addOption(socketOption())
    .addHelpText('after', HELP)
    .action(protect);
}

async function protect(flags: ProtectFlags): Promise<void> {
  const { socket, apply, confirm, force } = flags;
  if (flags.undo === true) {
    print(await undoProtection(socket, force === true));
    return;
  }
  const previewMs = flags.preview === undefined ? undefined : parseTime(flags.preview, '--preview');
  const host = await openLiveHost(socket);
  const proposal = flags.fromFile === undefined ? await propose(flags, host) : readProposal(flags.fromFile);
  for (const warning of host.conflictsWith(proposal.resources)) printWarning(warning);
  if (flags.output !== undefined) writeProposal(proposal, flags.output);
  else if (apply === undefined && previewMs === undefined) process.stdout.write(proposal.text);
  if (previewMs !== undefined) {
    const { text, isClean } = await previewProposal(host, proposal.resources, previewMs);
    print(text);
    if (!isClean) process.exitCode = EXIT.FAILED;
    if (!isClean && force !== true) return;
  }
  if (apply === undefined) return;
  print(
    await applyProposal(socket, proposal, {
      confirm: confirm === false ? undefined : confirm,
      isForced: force === true,
    }),
  );
  const problems = await unenforced(socket, proposal);
  problems.forEach(printWarning);
  process.exitCode = problems.length === 0 ? EXIT.OK : EXIT.NOT_READY;
}

async function propose(flags: ProtectFlags, host: LiveHost): Promise<ProposalFile> {
  const { sshOnly, web, egress, interface: interfaces } = flags;
  if (process.geteuid?.() !== 0)
    printWarning('only root sees who holds which socket: SSH on another port than 22 may be missed');
  const observation = await host.observe(flags.observe === undefined ? 0 : parseTime(flags.observe, '--observe'));
  for (const name of interfaces ?? []) {
    if (observation.interfaces.some((each) => each.name === name && each.kind === 'host')) continue;
    const known = observation.interfaces.filter(({ kind }) => kind === 'host').map((each) => each.name);
    throw new DataplaneError('INTERFACE_MISSING', 'is no interface that can be protected', {
      operation: 'protect',
      target: name,
      expected: known.length === 0 ? 'an interface other than loopback' : `one of ${known.join(', ')}`,
    });
  }
  const options: ProposalOptions = {
    ...(sshOnly === true ? { preset: 'ssh-only' } : web === true ? { preset: 'web' } : {}),
    egress,
    ...(flags.sshFrom === undefined ? {} : { sshFrom: flags.sshFrom.map(parseNet) }),
    ...(interfaces === undefined ? {} : { interfaces: [...new Set(interfaces)].sort() }),
    settings: host.settings,
  };
  return proposalFile(proposalText(proposeProtection(observation, options)), 'proposal');
}

function parseNet(text: string): Cidr {
  const net = parseCidr(text, { strict: true });
  if (net !== undefined) return net;
  throw usage('--ssh-from', text, 'an address or a prefix without bits past its length, e.g. 198.51.100.0/24');
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

function parseTime(text: string, option: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smh])$/.exec(text) ?? [];
  if (count !== '') return Number(count) * (UNIT_MS[unit] as number);
  throw usage(option, text, 'such as 60s, 10m or 1h');
}

function usage(option: string, found: string, expected: string): DataplaneError {
  return new DataplaneError('USAGE', 'is not understood', { operation: 'protect', target: option, found, expected });
}
