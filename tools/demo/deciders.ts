// Which rule decides a flow, in a few words: asked of `tortie verdict` over the very manifests that the agent enforces.

import { runCommand } from '../../src/bench/command.ts';
import { HOST } from '../lab/namespaces.ts';
import { tortieCommand } from '../lab/project.ts';
import type { TruthCase } from '../lab/truth-table.ts';
import { EXAMPLE_NODE, type Shop } from './shop.ts';

interface Side {
  readonly verdict: 'allow' | 'deny';
  /** `<index>|<tier>|<kind>:<policy>|<action>|<rule>` */
  readonly trace: readonly string[];
}

interface Answer {
  readonly egress: Side | null;
  readonly ingress: Side | null;
}

/** The last entry of a side's trace. */
interface Decider {
  readonly tier: string;
  readonly policy: string;
  /** -1 = the end of the tier. */
  readonly rule: number;
}

function question(shop: Shop, { from, request }: TruthCase, id: number): object {
  const ping = request.address.includes(':') ? 'ICMPv6' : 'ICMP';
  const protocol = request.transport === 'icmp' ? ping : request.transport.toUpperCase();
  const src = shop.addressLike(from, request.address);
  return { id, src, dst: request.address, protocol, dstPort: request.port };
}

/** What decides each case, in their order. Throws KERNEL if `tortie verdict` fails. */
export async function findDeciders(shop: Shop, cases: readonly TruthCase[]): Promise<string[]> {
  const lines = cases.map((one, id) => `${JSON.stringify(question(shop, one, id))}\n`).join('');
  const command = tortieCommand('verdict', '--manifests', shop.manifests.path, '--node', EXAMPLE_NODE, '--flows', '-');
  const { stdout } = await runCommand(command, lines);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
  return answers.map((answer, index) =>
    cases[index]?.from === HOST ? 'the host reaches its workloads' : describe(answer),
  );
}

function deciderOf(side: Side): Decider {
  const [, tier = '', policy = '', , rule = ''] = (side.trace.at(-1) ?? '').split('|');
  return { tier, policy: policy.replace(/^.*[:/]/, ''), rule: Number(rule) };
}

function describeDecider({ tier, policy, rule }: Decider): string {
  return rule < 0 ? `end of tier ${tier}` : `${policy} rule ${rule}`;
}

/** A denial by the side that denies; a permission by both. */
function describe({ egress, ingress }: Answer): string {
  const sides = [
    { name: 'egress', side: egress },
    { name: 'ingress', side: ingress },
  ].flatMap(({ name, side }) => (side === null ? [] : [{ name, side, text: describeDecider(deciderOf(side)) }]));
  const denier = sides.find(({ side }) => side.verdict === 'deny');
  if (denier !== undefined) return `${denier.name}: ${denier.text}`;
  if (new Set(sides.map(({ text }) => text)).size === 1 && sides.length > 1) return `both ends: ${sides[0]?.text}`;
  return sides.map(({ name, text }) => `${name}: ${text}`).join(', ');
}
