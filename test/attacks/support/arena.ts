// Where attacks on the programs are made: an attacker with little permission, bystanders with connections, and the real programs
// through BPF_PROG_TEST_RUN. What is sent, and what ought to become of it, is told by the cases.
import { EndpointFlags } from '../../../src/abi/endpoint.gen.ts';
import type { Reason } from '../../../src/abi/event.gen.ts';
import type { FlowKey } from '../../../src/abi/flow.gen.ts';
import type { StoredFlow } from '../../packet/support/flow-memory.ts';
import { Machine, type Outcome, type RunOptions, type Settings } from '../../packet/support/machine.ts';
import type { Rule } from '../../packet/support/tables.ts';
import { API, DB, OUTSIDE, packet, WEB } from '../../packet/support/topology.ts';
import { tcp, udp } from '../../support/packets/transport.ts';

export type Family = 4 | 6;

/** One attack and what must come of it. Its frames are all that `send` returns outcomes for. */
export interface Attack {
  readonly name: string;
  /** The stage of bpf/stages that stops it, or that lets it pass on purpose. */
  readonly defence: string;
  readonly reason: keyof typeof Reason;
  /** Of allowed frames; dropped ones are always shot. */
  readonly action?: 'ok' | 'redirect';
  readonly settings?: Settings;
  /** Flows that it may leave behind. */
  readonly flows?: number;
  send(arena: Arena): Outcome | readonly Outcome[];
}

/** May send to udp:53, tcp:80, and pings; to udp:5000 at OUTSIDE only; to the metadata address and to loopback nothing. */
export const ATTACKER = { ...WEB, flags: EndpointFlags.READY | EndpointFlags.MAC_CHECK } as const;
/** Its ingress is tcp:80 and udp:53. Reached by bpf_redirect_peer. */
export const VICTIM = DB;
/** Whoever it talks to, it is not part of any attack. Reached through the stack. */
export const BYSTANDER = API;
export const METADATA = '169.254.169.254';
export const LOOPBACK = '127.0.0.1';

const DOORS = ['udp:53', 'tcp:80', 'icmp:8:0', 'icmpv6:128:0'];

function rules(): Rule[] {
  const attacker = { endpoint: ATTACKER.id, direction: 'egress' } as const;
  return [
    ...DOORS.map((l4): Rule => ({ ...attacker, l4, cell: 'allow' })),
    ...[OUTSIDE.v4, OUTSIDE.v6].map((peer): Rule => ({ ...attacker, peer, l4: 'udp:5000', cell: 'allow' })),
    ...[METADATA, LOOPBACK].flatMap((peer) => DOORS.map((l4): Rule => ({ ...attacker, peer, l4, cell: 'deny' }))),
    { endpoint: ATTACKER.id, direction: 'ingress', l4: 'tcp:8080', cell: 'allow' },
    { endpoint: VICTIM.id, direction: 'egress', cell: 'allow' },
    ...['tcp:80', 'udp:53'].map((l4): Rule => ({ endpoint: VICTIM.id, direction: 'ingress', l4, cell: 'allow' })),
    { endpoint: BYSTANDER.id, direction: 'egress', cell: 'allow' },
    { endpoint: BYSTANDER.id, direction: 'ingress', cell: 'allow' },
  ];
}

export function addressOf(workload: { readonly v4?: string; readonly v6?: string }, family: Family): string {
  return (family === 4 ? workload.v4 : workload.v6) as string;
}

/** What the victim's connection looks like from outside: VICTIM:50000 to OUTSIDE:443, IPv4. */
export const CALL = { client: 50_000, server: 443 } as const;

const call = packet(
  VICTIM.v4 as string,
  OUTSIDE.v4,
  tcp(ports(CALL.client, CALL.server, 'ack')),
  {},
  { sourceMac: VICTIM.mac },
);
const query = packet(
  BYSTANDER.v6 as string,
  OUTSIDE.v6,
  udp({ sourcePort: 5353, destinationPort: 53 }),
  {},
  { sourceMac: BYSTANDER.mac },
);

function ports(sourcePort: number, destinationPort: number, ...flags: ('syn' | 'ack')[]) {
  return { sourcePort, destinationPort, flags };
}

export class Arena {
  readonly machine: Machine;

  constructor(settings: Settings = {}) {
    this.machine = new Machine([ATTACKER, VICTIM, BYSTANDER], settings);
  }

  /** No flows but two: a TCP connection of the victim, and a UDP exchange of the bystander, both established. */
  reset(): void {
    this.machine.forgetFlows();
    this.machine.publish({ generation: 1, rules: rules() });
    const { client, server } = CALL;
    this.machine.at(VICTIM.id);
    this.machine.from(
      packet(VICTIM.v4 as string, OUTSIDE.v4, tcp(ports(client, server, 'syn')), {}, { sourceMac: VICTIM.mac }),
    );
    this.machine.to(packet(OUTSIDE.v4, VICTIM.v4 as string, tcp(ports(server, client, 'syn', 'ack'))));
    this.machine.from(call);
    this.machine.at(BYSTANDER.id);
    this.machine.from(query);
    this.machine.to(packet(OUTSIDE.v6, BYSTANDER.v6 as string, udp({ sourcePort: 53, destinationPort: 5353 })));
    this.machine.from(query);
    this.machine.at(ATTACKER.id);
  }

  /** Another generation of policy, in which one of the attacker's doors is shut. */
  revoke(l4: string): void {
    const shut: Rule = { endpoint: ATTACKER.id, direction: 'egress', l4, cell: 'deny' };
    this.machine.publish({ generation: 2, rules: [...rules(), shut] });
  }

  /** What the attacker's interface sends. */
  from(data: Uint8Array, options: RunOptions = {}): Outcome {
    return this.machine.at(ATTACKER.id).from(data, options);
  }

  /** What is about to reach the victim's interface from outside. */
  atVictim(data: Uint8Array, options: RunOptions = {}): Outcome {
    return this.machine.at(VICTIM.id).to(data, options);
  }

  /** What is about to reach the attacker's interface, which an attacker may also want to open from outside. */
  atAttacker(data: Uint8Array, options: RunOptions = {}): Outcome {
    return this.machine.at(ATTACKER.id).to(data, options);
  }

  /** The flows that reset() opened, as the table has them now. */
  bystanders(): StoredFlow[] {
    return this.machine
      .flows()
      .filter(({ key }) => isBystander(key))
      .toSorted((a, b) => a.key.protocol - b.key.protocol);
  }

  /** The next packet of each of them. */
  continueBystanders(): Outcome[] {
    return [this.machine.at(VICTIM.id).from(call), this.machine.at(BYSTANDER.id).from(query)];
  }

  otherFlows(): number {
    return this.machine.flows().length - this.bystanders().length;
  }

  close(): void {
    this.machine.close();
  }
}

function isBystander({ port }: FlowKey): boolean {
  return port.some((number) => number === CALL.client || number === 5353);
}

/** The attack in both families, the family in its name. */
export function inBoth(attack: (family: Family) => Attack): Attack[] {
  return ([4, 6] as const).map((family) => ({ ...attack(family), name: `${attack(family).name} (IPv${family})` }));
}
