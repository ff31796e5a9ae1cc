// tortie render: the policy of a directory of manifests as rules for iptables or nftables, of the same meaning.
import { type Command, Option } from 'commander';
import { desiredStateOf, loadManifests } from '../../agent/offline.ts';
import type { RuleStyle } from '../../analysis/render/list-chains.ts';
import { renderIptables, renderNftables } from '../../analysis/render/render.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import { EXIT } from '../exit-codes.ts';
import { warnOfHostPolicy } from '../host-policy-note.ts';
import { manifestsOption, nodeOption } from '../options.ts';
import { print, printError } from '../output.ts';

interface RenderFlags {
  readonly manifests: string;
  readonly node: string;
  readonly to: 'iptables' | 'nftables';
  readonly style?: RuleStyle;
  readonly family?: '4' | '6';
  readonly conntrack?: boolean;
}

const HELP = `
Load what is printed with
  tortie render --to iptables             | iptables-restore      replaces the table filter
  tortie render --to iptables --family 6  | ip6tables-restore     replaces the table filter
  tortie render --to nftables             | nft -f -              replaces the tables ip tortie and ip6 tortie

Without --conntrack every packet is judged as the first of its connection, answers too: right for comparing costs and
verdicts. With it, packets of known connections pass first, as one wants them to: right for everything else.
A rule that the target cannot express is refused by name; nothing is approximated. See docs/render.md.`;

export function fillRenderCommand(command: Command): void {
  command
    .addOption(
      new Option('--to <filter>', 'who the rules are for').choices(['iptables', 'nftables']).makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--style <style>',
        'linear = one value to a rule; sets = sets and maps, the default for nftables',
      ).choices(['linear', 'sets']),
    )
    .addOption(new Option('--family <family>', 'of the rules for iptables; 4 is the default').choices(['4', '6']))
    .option('--conntrack', 'let packets of known connections pass first')
    .addOption(manifestsOption())
    .addOption(nodeOption())
    .addHelpText('after', HELP)
    .action(runRender);
}

function runRender(flags: RenderFlags): void {
  checkFlags(flags);
  const { world, errors } = loadManifests(flags.manifests);
  errors.forEach(printError);
  const desired = desiredStateOf(world, flags.node);
  warnOfHostPolicy(desired);
  const text = flags.to === 'iptables' ? iptablesText(desired, flags) : nftablesText(desired, flags);
  print(text === '' ? '# no endpoint of this family is judged by any policy' : text.trimEnd());
  if (errors.length > 0) process.exitCode = EXIT.INVALID;
}

function checkFlags({ to, style, family }: RenderFlags): void {
  const details = { operation: 'render', target: `rules for ${to}` };
  if (to === 'iptables' && style === 'sets') {
    const hint = 'iptables has no sets of its own; --to nftables has';
    throw new DataplaneError('USAGE', 'is only for nftables', { ...details, field: '--style', found: style, hint });
  }
  if (to === 'nftables' && family !== undefined) {
    const hint = 'rules for nftables are one text for both';
    throw new DataplaneError('USAGE', 'is only for iptables', { ...details, field: '--family', found: family, hint });
  }
}

/** One family to a text, because each has a command of its own; what is left out is said. */
function iptablesText(desired: DesiredState, { family = '4', conntrack = false }: RenderFlags): string {
  const { ipv4, ipv6 } = renderIptables(desired, { conntrack }, [family === '4' ? 4 : 6]);
  if (family === '6') return ipv6;
  const hasV6 = [...desired.endpoints.values()].some(({ endpoint }) =>
    endpoint.addresses.some((one) => one.family === 6),
  );
  if (hasV6)
    process.stderr.write('these are the rules for IPv4 alone: --family 6 prints those for ip6tables-restore\n');
  return ipv4;
}

function nftablesText(desired: DesiredState, { style = 'sets', conntrack = false }: RenderFlags): string {
  return renderNftables(desired, { style, conntrack });
}
