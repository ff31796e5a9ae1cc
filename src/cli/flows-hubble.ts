// Flow logs with the field names of hubble's `-o jsonpb`, for tools that read those. What an aggregate has not (addresses, the
// port that was sent from) is left out.
import { hasPorts, isIcmp } from '../model/flow.ts';
import { protocolNumber } from '../model/flow-question.ts';
import { fieldsOf } from '../observe/flow-query/log-texts.ts';
import type { FlowEnd, FlowLog } from '../observe/flows/flow-log.ts';

type Json = Record<string, unknown>;

const LAYER4: Readonly<Record<number, string>> = { 1: 'ICMPv4', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
/** Number of POLICY_DENIED in Cilium's list of reasons. */
const POLICY_DENIED = 133;

export function hubbleFlow(log: FlowLog): Json {
  const { source, destination, action, reporter, reason = '', node } = log;
  const time = new Date(log.startTime).toISOString();
  const isPolicy = reason === '' || reason.includes('policy');
  const flow = {
    time,
    verdict: action === 'allow' ? 'FORWARDED' : 'DROPPED',
    ...(action === 'allow'
      ? {}
      : isPolicy
        ? { drop_reason: POLICY_DENIED, drop_reason_desc: 'POLICY_DENIED' }
        : { drop_reason_desc: reason.toUpperCase() }),
    ...(source.address === '' || destination.address === '' ? {} : { IP: addresses(log) }),
    ...layer4(log),
    source: endOf(source),
    destination: endOf(destination),
    Type: 'L3_L4',
    node_name: node,
    traffic_direction: reporter === 'src' ? 'EGRESS' : 'INGRESS',
    is_reply: false,
    ...(log.service === undefined
      ? {}
      : { destination_service: { name: log.service.name, namespace: log.service.namespace } }),
    ...policies(log),
    Summary: [log.protocol, ...flagNames(log)].join(' '),
  };
  return { flow, node_name: node, time };
}

function addresses({ source, destination }: FlowLog): Json {
  const ipVersion = source.address.includes(':') ? 'IPv6' : 'IPv4';
  return { source: source.address, destination: destination.address, ipVersion };
}

function layer4(log: FlowLog): Json {
  const number = protocolNumber(log.protocol) ?? 0;
  const name = LAYER4[number];
  if (name === undefined) return {};
  if (isIcmp(number)) return { l4: { [name]: { type: log.icmpType ?? 0, code: log.icmpCode ?? 0 } } };
  if (!hasPorts(number)) return {};
  const flags = flagNames(log);
  return {
    l4: {
      [name]: {
        source_port: log.source.port,
        destination_port: log.destination.port,
        ...(flags.length === 0 ? {} : { flags: Object.fromEntries(flags.map((flag) => [flag, true])) }),
      },
    },
  };
}

function endOf({ type, namespace, name, aggregatedName, labels }: FlowEnd): Json {
  const called = name === '' ? aggregatedName : name;
  const list = Object.entries(labels).map((pair) => `k8s:${pair.join('=')}`);
  if (type === 'wep') return { namespace, labels: list, pod_name: called };
  return { labels: type === 'hep' ? ['reserved:host', ...list] : type === 'net' ? ['reserved:world'] : list };
}

/** The policy that decided, where hubble has it. */
function policies({ action, reporter, enforced }: FlowLog): Json {
  const decided = fieldsOf(enforced.at(-1));
  if (decided === undefined) return {};
  const slash = decided.policy.indexOf('/');
  const policy = { namespace: decided.policy.slice(0, Math.max(slash, 0)), name: decided.policy.slice(slash + 1) };
  const direction = reporter === 'src' ? 'egress' : 'ingress';
  return { [`${direction}_${action === 'allow' ? 'allowed' : 'denied'}_by`]: [policy] };
}

function flagNames({ tcpFlags = 0 }: FlowLog): string[] {
  return TCP_FLAGS.filter((_, bit) => (tcpFlags & (1 << bit)) !== 0);
}
