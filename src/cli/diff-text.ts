// A difference of policy as people read it: sentences, each with a packet and with the rules that decide it.
import type { Difference, Presence, Sentence } from '../analysis/diff/difference.ts';
import { grouped, listShortly, plural } from '../analysis/diff/part.ts';
import type { Decision } from '../analysis/diff/witness.ts';
import { describeLeftOut } from '../analysis/host-policy.ts';
import type { FlowText } from '../model/flow-question.ts';
import { paint } from './output.ts';

/** More sentences are counted; JSON has them all. */
const MAX_SENTENCES = 200;
const MAX_PRESENCE = 20;

/** changedObjects = how many objects are written differently, whatever that means. */
export function formatDifference(difference: Difference, changedObjects: number): string {
  const { sentences, presence, summary } = difference;
  const leftOut = changedObjects === 0 ? undefined : describeLeftOut(difference.hostPolicies);
  const blocks = sentences.slice(0, MAX_SENTENCES).map(formatSentence);
  if (sentences.length > MAX_SENTENCES) {
    blocks.push(`... and ${plural(sentences.length - MAX_SENTENCES, 'sentence')} more, see --output json`);
  }
  if (presence.length > 0) blocks.push(formatPresence(presence));
  const changed = `${plural(changedObjects, 'object')} changed`;
  if (sentences.length === 0)
    blocks.push(
      changedObjects === 0
        ? 'no changes'
        : `${changed}, no verdict changes${leftOut === undefined ? '' : ' of workloads'}`,
    );
  else {
    blocks.push(
      `${changed}: ${plural(summary.sentences, 'sentence')}; ${plural(summary.pairsLosing, 'pair')} of endpoints lose ` +
        `something, ${grouped(summary.pairsGaining)} gain something; ${plural(summary.endpoints, 'endpoint')} concerned`,
    );
  }
  if (leftOut !== undefined) blocks.push(leftOut);
  return blocks.join('\n\n');
}

function formatSentence(sentence: Sentence): string {
  const { change, from, to, services, namespaces, families, packet, before, after } = sentence;
  const scope =
    namespaces === undefined
      ? ''
      : `in each of ${plural(namespaces.length, 'namespace')} (${listShortly(namespaces)}): `;
  const colour = change.after === 'allow' ? 'green' : 'red';
  const family = families.length === 2 ? 'IPv4 and IPv6' : `IPv${families[0]}`;
  return [
    `${scope}${from} -> ${to}  ${services.join('; ')}: ${paint(`${change.before} -> ${change.after}`, colour)}`,
    `    ${[...countsOf(sentence), family].join(', ')}`,
    `    such as ${describePacket(packet)}`,
    `    was ${describeDecision(before)}`,
    `    now ${describeDecision(after)}`,
  ].join('\n');
}

function countsOf({ counts: { from, to, endpointPairs } }: Sentence): string[] {
  const texts = endpointPairs > 0 ? [`${plural(endpointPairs, 'pair')} of endpoints`] : [];
  if (to.outsideAddresses !== '0' && from.endpoints > 0) {
    texts.push(`${plural(from.endpoints, 'endpoint')} to ${addresses(to.outsideAddresses)}`);
  }
  if (from.outsideAddresses !== '0' && to.endpoints > 0) {
    texts.push(`${addresses(from.outsideAddresses)} to ${plural(to.endpoints, 'endpoint')}`);
  }
  return texts;
}

/** Numbers that nobody reads are rounded. */
function addresses(decimal: string): string {
  const number = BigInt(decimal);
  return number < 1_000_000n
    ? plural(number, 'outside address')
    : `${Number(number).toExponential(1).replace('e+', 'e')} outside addresses`;
}

function describePacket({ src, dst, protocol, srcPort, dstPort, icmpType, icmpCode }: FlowText): string {
  const place = (address: string, port: number | undefined): string => {
    if (port === undefined) return address;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  };
  const icmp = icmpType === undefined ? '' : ` type ${icmpType} code ${icmpCode}`;
  const name = /^\d+$/.test(protocol) ? `protocol ${protocol}` : protocol;
  return `${name}${icmp} ${place(src, srcPort)} -> ${place(dst, dstPort)}`;
}

function describeDecision({ verdict, direction, rule, file, line }: Decision): string {
  const place = file === undefined ? '' : ` ${file}:${line}`;
  return rule === null ? `${verdict}, by no policy` : `${verdict}, ${direction} ${rule}${place}`;
}

/** One line for each endpoint, or for an address that passes from one to another. */
function formatPresence(presence: readonly Presence[]): string {
  const addresses = new Map<string, string[]>();
  for (const { change, endpoint, address, previous } of presence) {
    const text =
      change === 'passed'
        ? `the address of endpoint ${previous} passes to ${endpoint}`
        : `endpoint ${endpoint} ${change}`;
    addresses.set(text, [...(addresses.get(text) ?? []), address]);
  }
  const lines = [...addresses].map(([text, own]) => `${text} (${own.join(', ')})`);
  const rest = lines.length - MAX_PRESENCE;
  return [...lines.slice(0, MAX_PRESENCE), ...(rest > 0 ? [`... and ${grouped(rest)} more`] : [])].join('\n');
}
