// Flow logs as the agent would write them: a flow judged by a world, told by each end that has policy.

import { networkScope } from '../../../src/analysis/outsiders.ts';
import { formatAddress, type IpAddress } from '../../../src/model/address.ts';
import { protocolName } from '../../../src/model/flow.ts';
import { parseFlowQuestion } from '../../../src/model/flow-question.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { formatTrace } from '../../../src/model/trace.ts';
import type { World } from '../../../src/model/world.ts';
import type { FlowEnd, FlowLog } from '../../../src/observe/flows/flow-log.ts';
import type { FlowRecord } from './shop.ts';

/** One record for each end that is judged; times in milliseconds since 1970. */
export function judgedLogs(world: World, question: FlowRecord, time: number): FlowLog[] {
  const { flow } = parseFlowQuestion(question);
  const evaluator = new ReferenceEvaluator(world);
  const { egress, ingress } = evaluator.evaluate(flow);
  const sides = [
    { reporter: 'src', side: egress },
    { reporter: 'dst', side: egress?.verdict === 'deny' ? null : ingress },
  ] as const;
  return sides.flatMap(({ reporter, side }): FlowLog[] => {
    if (side === null) return [];
    const enforced = formatTrace(side.trace);
    return [
      {
        startTime: time,
        endTime: time,
        node: 'n1',
        reporter,
        action: side.verdict,
        source: endOf(evaluator, flow.source, flow.sourcePort),
        destination: endOf(evaluator, flow.destination, flow.destinationPort),
        protocol: protocolName(flow.protocol),
        enforced,
        pending: side.pending === undefined ? enforced : formatTrace(side.pending.trace),
        packetsIn: 1,
        packetsOut: 1,
        bytesIn: 100,
        bytesOut: 100,
        flowsStarted: 1,
        flowsCompleted: 0,
        flowsLive: 1,
      },
    ];
  });
}

function endOf(evaluator: ReferenceEvaluator, address: IpAddress, port: number): FlowEnd {
  const endpoint = evaluator.endpointAt(address);
  const text = formatAddress(address);
  if (endpoint === undefined) {
    const name = networkScope(address) === 'private' ? 'pvt' : 'pub';
    return { type: 'net', namespace: '', name, aggregatedName: name, address: text, port, labels: {} };
  }
  const { namespace, displayName, labels } = endpoint;
  const name = displayName.slice(namespace.length + 1);
  const aggregatedName = name.replace(/-[^-]*$/, '-*');
  return { type: 'wep', namespace, name, aggregatedName, address: text, port, labels };
}
