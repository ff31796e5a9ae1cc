// Every lint rule: its stable id, how severe it is, and what it means. docs/lint.md and SARIF show this table.
import type { Severity } from './severity.ts';

export interface LintRule {
  readonly severity: Severity;
  /** One line, lower case. */
  readonly summary: string;
  /** What is claimed, why it matters, what to do. */
  readonly help: string;
}

export const LINT_RULES = {
  'refused-object': {
    severity: 'error',
    summary: 'an object has an error and is not in force',
    help: 'The object does not follow its API, or means nothing. Tortie leaves it out by name; the code is explained in docs/errors.md. Everything else is analysed as if the object were not there.',
  },
  'cidr-with-host-bits': {
    severity: 'error',
    summary: 'a CIDR has address bits behind its prefix length',
    help: 'In Calico rules such a CIDR is refused. In a Kubernetes ipBlock and in a network set the bits are silently cut off, so that the entry covers more than its author may think: there it is a warning. Write the network address, or the length that was meant.',
  },
  'net-in-two-families': {
    severity: 'error',
    summary: 'one rule names IPv4 and IPv6 networks',
    help: 'A rule concerns one address family as soon as it names a network. A rule with networks of both is refused. Write one rule for each family.',
  },
  'unreachable-rule': {
    severity: 'warning',
    summary: 'a rule never decides anything, because rules before it take all its packets',
    help: 'Exact for the manifests as given: some packet to or from a governed endpoint meets the conditions of the rule, but each such packet is decided by an earlier rule of the tier or by an earlier tier. The message names those rules. Where no endpoint is governed, only rules of one policy are compared, and a rule is reported when an earlier one has every condition in wider form. Remove the rule, or move it up.',
  },
  'rule-matches-nothing': {
    severity: 'warning',
    summary: 'no packet of any governed endpoint can meet the conditions of a rule',
    help: 'Exact for the manifests as given. The message says which condition is empty: a selector that matches no endpoint and no network set, a service without backends, a port name that nothing defines, or conditions that exclude each other.',
  },
  'rule-for-absent-family': {
    severity: 'note',
    summary: 'a rule concerns an address family that no governed endpoint has',
    help: 'The rule names IPv6 (or IPv4) by its networks, its ipVersion or its ICMP protocol, but every endpoint that the policy governs has addresses of the other family only. It does nothing until such an endpoint gets one.',
  },
  'redundant-rule': {
    severity: 'note',
    summary: 'removing a rule would change no verdict and no log line',
    help: 'Exact for the manifests as given: every packet that the rule takes would meet the same end, and leave the same log lines, if this one rule were not there. Only the trace would name another rule. Harmless, and often meant as documentation; each such rule is judged alone.',
  },
  'log-never-fires': {
    severity: 'warning',
    summary: 'a Log rule never logs, because rules before it take all its packets',
    help: 'Log decides nothing, it must stand before the rule that decides. Every packet that meets the conditions of this one is decided by an earlier rule. Move it up.',
  },
  'pass-into-nothing': {
    severity: 'warning',
    summary: 'a Pass rule passes to where nothing decides: its packets are denied',
    help: 'Pass hands a packet to the next tier that governs the endpoint, and after the last tier to the profiles. Behind this rule there is no such tier and no profile rule that takes any of its packets, so all are denied. In a profile Pass always denies. Write Deny, or add what should decide.',
  },
  'policy-selects-nothing': {
    severity: 'warning',
    summary: 'a policy selects no endpoint',
    help: 'No endpoint of the manifests has the labels, namespace and service account that the policy asks for; of doNotTrack and preDNAT policies, which apply to hosts only, no host endpoint. Not reported when the manifests contain no endpoints at all.',
  },
  'label-typo': {
    severity: 'note',
    summary: 'a selector names a label or value that occurs nowhere, and nearly one that does',
    help: 'The selector still matches something, so this is only a hint. Where a selector matches nothing because of it, the finding about that says so instead.',
  },
  'names-differ-only-by-case': {
    severity: 'warning',
    summary: 'two label names or values differ only in upper and lower case',
    help: 'Labels, values, service accounts and port names are compared exactly. Two spellings are two different things for every selector, which is rarely meant.',
  },
  'allow-all-by-accident': {
    severity: 'warning',
    summary: 'a rule allows everybody in a way that looks like a slip',
    help: 'Reported are: an ingress rule that allows without any condition; a source, destination, from, to, selector or list that is written down but empty, which is no condition at all; and notSelector as the only condition on the peer in a cluster-wide policy, which also matches addresses that belong to nothing known, the internet included. Say whom you mean, e.g. selector: all() for every known endpoint, or nets: [0.0.0.0/0] for everybody.',
  },
  'ingress-rules-without-ingress-type': {
    severity: 'warning',
    summary: 'a policy has ingress rules, but does not govern ingress',
    help: 'types (policyTypes in Kubernetes) is given and does not list Ingress, so that the ingress rules are never looked at.',
  },
  'egress-rules-without-egress-type': {
    severity: 'warning',
    summary: 'a policy has egress rules, but does not govern egress',
    help: 'types (policyTypes in Kubernetes) is given and does not list Egress, so that the egress rules are never looked at.',
  },
  'duplicate-policy': {
    severity: 'warning',
    summary: 'two policies say the same',
    help: 'Same tier, same selection, same directions and same rules: whichever comes second never decides anything. The rules of the second are not reported one by one. Remove one of them.',
  },
  'dns-blocked': {
    severity: 'warning',
    summary: 'endpoints may open connections, but may not ask any name server',
    help: 'Exact for the manifests as given: the egress policy of these endpoints allows some TCP, UDP or SCTP, but neither UDP 53 nor TCP 53 to any address. Endpoints that may open no connection at all are taken at their word.',
  },
  'isolated-from-everything': {
    severity: 'note',
    summary: 'endpoints that may neither be reached nor reach anything',
    help: 'Exact for the manifests as given: no packet to or from these endpoints is allowed, whatever the peer, protocol and port. Only their own host reaches them.',
  },
  'missing-profile': {
    severity: 'warning',
    summary: 'endpoints list a profile that does not exist',
    help: 'A profile that does not exist denies when evaluation comes to it, and lends no labels. For pods the profile kns.<namespace> comes from the Namespace, which is probably not among the manifests.',
  },
  'host-endpoints-overlap': {
    severity: 'warning',
    summary: 'several host endpoints claim one interface',
    help: 'Of host endpoints that name the same interface, or that name none and share an address, the first by name is responsible for the interface, and nothing of the others applies there. With --interfaces those are found as well of which one names an interface and the other has its address. Merge them, or take the claim away from one.',
  },
  'host-endpoint-unbound': {
    severity: 'warning',
    summary: 'a host endpoint belongs to no interface of the host',
    help: 'Asked only with --interfaces, and of the endpoints of --node. No host interface has the name that the endpoint gives, or any of its expectedIPs; or all that do belong to another endpoint. Its policies are in force nowhere until such an interface appears.',
  },
  'host-interface-without-address': {
    severity: 'note',
    summary: 'a host endpoint names an interface that has no address',
    help: 'Asked only with --interfaces. Policy is in force on the interface, but nothing is addressed to the host there; often the address is on a bridge or bond above it, which is the interface that packets come in by.',
  },
  'host-endpoint-template-idle': {
    severity: 'warning',
    summary: 'a template of host endpoints makes none for a node that it selects',
    help: 'Interfaces of a node are those of its annotation projectcalico.org/Interfaces, and its addresses those of its annotations and the internal ones of its status. Without an interface that interfacePattern describes, or without interfacePattern an address in interfaceCIDRs, the template makes no endpoint for the node, and no policy is in force there because of it. A template that is for other nodes says so in nodeSelector.',
  },
  'expected-address-elsewhere': {
    severity: 'warning',
    summary: 'a host endpoint expects an address that belongs to another host',
    help: 'expectedIPs says which interface an endpoint without interfaceName means, and for which addresses selectors that match the endpoint stand. A Node of another name, or a host endpoint of another node, has the same address: one of the two is wrong.',
  },
  'untracked-without-reverse': {
    severity: 'warning',
    summary: 'doNotTrack policy allows packets one way, and none the other way',
    help: 'No connection is kept of what doNotTrack policy allows, so that replies are packets like others: unless doNotTrack policy allows them too, they are judged by the policy after it, which does not know that they are replies. Reported for each policy that allows in one direction where no doNotTrack policy of the same host endpoint allows anything in the other.',
  },
  'tier-unknown': {
    severity: 'warning',
    summary: 'a policy names a tier that nothing defines',
    help: 'A tier that does not exist is evaluated after all others, with default Deny. Define it, or correct the name.',
  },
  'tier-without-order': {
    severity: 'warning',
    summary: 'a tier has no order',
    help: 'It gets the order of the tier `default`, 1000000, and the two are then ordered by name. Give it a number.',
  },
  'tier-empty': {
    severity: 'note',
    summary: 'a tier has no policy',
    help: 'No policy is in the tier: it decides nothing.',
  },
  'suppression-without-reason': {
    severity: 'warning',
    summary: 'a suppression does not say why',
    help: 'lint.tortie.dev/ignore is a list of `rule-id: reason`, separated by semicolons. Without a reason nothing is suppressed.',
  },
  'suppression-of-unknown-rule': {
    severity: 'warning',
    summary: 'a suppression names a rule that does not exist',
    help: 'The rule ids are in docs/lint.md and in `tortie lint --rules`.',
  },
  'suppression-unused': {
    severity: 'warning',
    summary: 'a suppression suppresses nothing',
    help: 'The object has no finding of that rule (any more). Remove the entry, so that it does not hide a finding to come.',
  },
} as const satisfies Readonly<Record<string, LintRule>>;

export type RuleId = keyof typeof LINT_RULES;

export const RULE_IDS = Object.keys(LINT_RULES) as readonly RuleId[];

export function isRuleId(text: string): text is RuleId {
  return Object.hasOwn(LINT_RULES, text);
}
