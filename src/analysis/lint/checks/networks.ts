// CIDRs with host bits where they are not refused: in a Kubernetes ipBlock and in a network set they are cut off.
import { formatIpText, isMasked, maskWord, type PrefixText, parsePrefixText } from '../../../base/ip-text.ts';
import type { FieldPath } from '../../../resources/field-path.ts';
import type { Resource } from '../../../resources/resource.ts';
import type { KubernetesPolicySpec, PeerSpec } from '../../../resources/schemas/kubernetes-policy.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';

interface WrittenNet {
  readonly text: string;
  readonly path: FieldPath;
}

export function checkNetworks({ resources }: LintContext): Finding[] {
  return resources.flatMap((resource) =>
    netsOf(resource).flatMap(({ text, path }) => {
      const network = networkOf(text);
      if (network === undefined) return [];
      const message = `${text} has bits behind its length: it is read as ${network}`;
      return [
        findingAbout(resource, 'cidr-with-host-bits', message, {
          path,
          severity: 'warning',
          hint: fixFor(text, network),
        }),
      ];
    }),
  );
}

/** The network that the text stands for when its host bits are cut off; undefined = it has none, or is no CIDR. */
export function networkOf(text: string): string | undefined {
  const prefix = parsePrefixText(text);
  if (prefix === undefined || isMasked(prefix)) return undefined;
  return formatPrefix({
    ...prefix,
    words: prefix.words.map((word, index) => (word & maskWord(prefix.length, index)) >>> 0),
  });
}

/** What to write instead, depending on what was meant. */
export function fixFor(text: string, network: string): string {
  const address = text.split('/')[0] as string;
  return `write ${network}, or ${address}/${address.includes(':') ? 128 : 32} for that one address`;
}

function netsOf(resource: Resource): WrittenNet[] {
  switch (resource.type) {
    case 'NetworkSet':
    case 'GlobalNetworkSet':
      return (resource.spec.nets ?? []).map((text, index) => ({ text, path: ['spec', 'nets', index] }));
    case 'KubernetesNetworkPolicy':
    case 'StagedKubernetesNetworkPolicy':
      return blocksOf(resource.spec);
    default:
      return [];
  }
}

function blocksOf({ ingress = [], egress = [] }: KubernetesPolicySpec): WrittenNet[] {
  return [
    ...ingress.flatMap(({ from = [] }, index) => peerNets(from, ['spec', 'ingress', index, 'from'])),
    ...egress.flatMap(({ to = [] }, index) => peerNets(to, ['spec', 'egress', index, 'to'])),
  ];
}

function peerNets(peers: readonly PeerSpec[], path: FieldPath): WrittenNet[] {
  return peers.flatMap(({ ipBlock }, index) => {
    if (ipBlock === undefined) return [];
    const at = [...path, index, 'ipBlock'];
    const except = (ipBlock.except ?? []).map((text, item) => ({ text, path: [...at, 'except', item] }));
    return [{ text: ipBlock.cidr, path: [...at, 'cidr'] }, ...except];
  });
}

function formatPrefix({ words, length }: PrefixText): string {
  return `${formatIpText(words)}/${length}`;
}
