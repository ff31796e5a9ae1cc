// Engines for questions about packets past a host's interfaces. Opened with the first such question: most sets have none.

import { machineInterfaces } from '../agent/machine-interfaces.ts';
import { desiredStateOf, type EngineName } from '../agent/offline.ts';
import { isLocalNode } from '../agent/options.ts';
import { DataplaneError } from '../base/errors.ts';
import { KernelPathEvaluator } from '../kernel/path-evaluator.ts';
import type { HostInterface } from '../model/host-interfaces.ts';
import type { PathFlow, PathVerdict } from '../model/path.ts';
import { ReferencePathEvaluator } from '../model/reference/path-evaluator.ts';
import type { World } from '../model/world.ts';
import { TableCompiler } from '../tables/compiler.ts';
import { TablePathEvaluator } from '../tables/path-evaluator.ts';
import { readInterfaceFile } from './host-interfaces.ts';

export interface PathEngine {
  /** Throws INVALID_FLOW for an interface that there is not. */
  evaluatePath(packet: PathFlow): PathVerdict;
  close(): void;
}

/** Names of the host's ends of workloads' links begin so, where no manifest names them. */
const WORKLOAD_PREFIX = 'cali';

/**
 * interfaces = path of a file; undefined = this machine's. Throws FILE_UNREADABLE, INVALID_FIELD, TABLE_FULL; for the kernel also
 * PERMISSION, FEATURE_UNSUPPORTED, PROGRAM_REJECTED.
 */
export function openPathEngine(
  name: EngineName,
  world: World,
  node: string,
  interfaces: string | undefined,
): PathEngine {
  const known =
    interfaces === undefined ? machineInterfaces(workloadInterfacesOf(world)) : readInterfaceFile(interfaces);
  const engine = engineOf(name, world, node, known);
  const names = known.map((each) => each.name);
  return {
    evaluatePath(packet) {
      requireInterfaces(packet, names);
      return engine.evaluatePath(packet);
    },
    close: () => engine.close?.(),
  };
}

type Judge = Pick<PathEngine, 'evaluatePath'> & Partial<Pick<PathEngine, 'close'>>;

function engineOf(name: EngineName, world: World, node: string, interfaces: readonly HostInterface[]): Judge {
  if (name === 'model') return new ReferencePathEvaluator(world, interfaces, isLocalNode(node));
  if (name === 'tables') {
    const desired = desiredStateOf(world, node);
    const compiler = new TableCompiler();
    return new TablePathEvaluator(desired, interfaces, compiler, compiler.compile(desired));
  }
  return new KernelPathEvaluator(desiredStateOf(world, node), interfaces);
}

function workloadInterfacesOf({ workloadEndpoints }: World): (name: string) => boolean {
  const named = new Set([...workloadEndpoints.values()].map(({ interfaceName }) => interfaceName));
  return (name) => named.has(name) || name.startsWith(WORKLOAD_PREFIX);
}

/** To the kernel an unknown interface is one like others; in a question it is a slip. */
function requireInterfaces({ path }: PathFlow, names: readonly string[]): void {
  for (const field of ['in', 'out'] as const) {
    const name = (path as Partial<Record<'in' | 'out', string>>)[field];
    if (name === undefined || names.includes(name)) continue;
    throw new DataplaneError('INVALID_FLOW', 'no such interface', {
      operation: 'read flow',
      target: `${path.kind} ${name}`,
      field,
      found: name,
      expected: names.length === 0 ? 'an interface that there is' : `one of ${names.join(', ')}`,
    });
  }
}
