// What was seen of a machine -> what is proposed for it: host endpoints, who may reach which of its services, what it may
// reach itself. Least privilege as far as it was seen; whatever was assumed is said in a comment.

import { type Cidr, formatAddress, type IpAddress } from '../../model/address.ts';
import { protocolName } from '../../model/flow.ts';
import { ANY_INTERFACE } from '../../model/host-interfaces.ts';
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from '../../model/host-settings.ts';
import { inboundRules } from './inbound.ts';
import type { HostObservation } from './observation.ts';
import { egressRules } from './outbound.ts';
import { hostEndpoint, hostPolicy, networkSet, type Proposal, type ProposedObject } from './proposal.ts';
import { publishedPorts } from './services.ts';

export interface ProposalOptions {
  /** Which of the machine's services are opened: those that were seen, or none but these. */
  readonly preset?: 'ssh-only' | 'web';
  /** What the machine may begin itself: anything, or only what was seen. */
  readonly egress?: 'open' | 'seen';
  /** From where SSH may be used; undefined = from everywhere. */
  readonly sshFrom?: readonly Cidr[];
  /** Host endpoints for these only; undefined = one for every interface. */
  readonly interfaces?: readonly string[];
  /** That hold on the machine. */
  readonly settings?: NodeSettings;
}

/** Objects of a proposal, sets of addresses before what speaks of them: the same for the same observation. */
export function proposeProtection(observation: HostObservation, options: ProposalOptions = {}): Proposal {
  const { settings = DEFAULT_NODE_SETTINGS, egress = 'open' } = options;
  const inbound = inboundRules(observation, { ...options, settings });
  const outbound = egressRules(observation, egress);
  const sets = [...inbound.sets, ...outbound.sets].map(({ name, nets, why }) => networkSet(name, nets, why));
  return {
    why: headOf(observation, options),
    objects: [
      ...sets,
      hostPolicy('protect-inbound', 'ingress', inbound.rules, [
        'Who may reach this machine. What no rule allows is dropped; answers to its own connections always pass.',
        ...inbound.remarks,
      ]),
      hostPolicy('protect-outbound', 'egress', outbound.rules, outbound.remarks),
      ...endpointsOf(observation, options),
    ],
  };
}

function endpointsOf({ node, isForwarding }: HostObservation, { interfaces }: ProposalOptions): ProposedObject[] {
  const forwarding = isForwarding
    ? ['What this machine forwards for others is not judged: that takes policies with applyOnForward.']
    : [];
  if (interfaces === undefined) {
    const why = [
      'From here on the policies above hold, on every interface of the machine but loopback, new ones too.',
      ...forwarding,
    ];
    return [hostEndpoint('protect-all', { node, interfaceName: ANY_INTERFACE }, why)];
  }
  return interfaces.map((name, index) =>
    hostEndpoint(`protect-${nameOf(name)}`, { node, interfaceName: name }, [
      `From here on the policies above hold on ${name}; other interfaces are left alone.`,
      ...(index === 0 ? forwarding : []),
    ]),
  );
}

function headOf(observation: HostObservation, { preset, egress = 'open' }: ProposalOptions): string[] {
  const { node, interfaces, sessions } = observation;
  const shown = interfaces.filter(({ kind, addresses }) => kind === 'host' && addresses.length > 0);
  return [
    `Proposal of tortie protect for ${node}. Nothing of it is in force until: tortie protect --apply`,
    `interfaces: ${shown.map(({ name, addresses }) => [name, ...addresses.map(formatAddress)].join(' ')).join('; ') || 'none'}`,
    ...distinctTexts(sessions.map(({ client }) => client)).map((client) => `SSH session from ${client}`),
    `services: ${preset === undefined ? 'those that listen now' : { 'ssh-only': 'SSH only (--ssh-only)', web: 'SSH and web (--web)' }[preset]}`,
    `own connections: ${egress === 'open' ? 'anywhere (--egress open)' : 'those that were seen (--egress seen)'}`,
    ...publishedPorts(observation).map(
      ({ protocol, port }) =>
        `not covered: ${protocolName(protocol)} ${port} is published by Docker and forwarded to a container`,
    ),
  ];
}

function distinctTexts(addresses: readonly IpAddress[]): string[] {
  return [...new Set(addresses.map(formatAddress))].sort();
}

/** Fit to be part of a name of an object. */
function nameOf(interfaceName: string): string {
  return interfaceName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
