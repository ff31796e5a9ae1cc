// Flows on their way into the agent's store: what a command waits for that must have all of them.
import type { FlowStoreStatus } from '../agent/flows/flow-store-service.ts';
import { askAgent } from './agent-client.ts';

const LOOK_MS = 500;

export function readStoreStatus(socket: string): Promise<FlowStoreStatus> {
  return askAgent<FlowStoreStatus>(socket, 'GET', '/flows/store');
}

/** Until the store has what waits for it now. Returns how many records it has not taken in that time. */
export async function untilStored(socket: string, patienceMs: number): Promise<number> {
  const until = Date.now() + patienceMs;
  for (let due: number | undefined; ; ) {
    // Agents of the version before say nothing of what waits.
    const { handedOver, waiting = 0 } = await readStoreStatus(socket);
    due ??= handedOver + waiting;
    if (handedOver >= due || Date.now() >= until) return Math.max(0, due - handedOver);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
