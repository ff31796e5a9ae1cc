// A proposal before it is in force: what the machine does meanwhile, judged as if it were.
import { deniedFlows } from '../analysis/protect/preview.ts';
import type { Resource } from '../resources/resource.ts';
import type { LiveHost } from './protect-host.ts';
import { describePreview } from './protect-text.ts';

export interface Preview {
  readonly text: string;
  /** Nothing that was seen would be denied. */
  readonly isClean: boolean;
}

export async function previewProposal(host: LiveHost, proposal: readonly Resource[], forMs: number): Promise<Preview> {
  const seconds = Math.round(forMs / 1000);
  const { flows } = await host.observe(forMs, ({ flows: soFar }, restMs) => showProgress(soFar.length, restMs));
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const routes = host.routes();
  const denied = deniedFlows(host.worldWith(proposal), flows, {
    interfaces: host.interfaces(),
    isLocal: (endpoint) => host.isLocal(endpoint),
    interfaceTo: (address) => routes.interfaceTo(address),
  });
  return { text: describePreview(denied, { seconds, flows: flows.length }), isClean: denied.length === 0 };
}

function showProgress(flows: number, restMs: number): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[Kwatching: ${flows} flows, ${Math.ceil(restMs / 1000)} s left`);
}
