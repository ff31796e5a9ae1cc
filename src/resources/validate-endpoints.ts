// Endpoints and network sets whose fields contradict each other, with Calico's messages.
import { parseIpText, parsePrefixText } from '../base/ip-text.ts';
import type { FieldPath } from './field-path.ts';
import type { Report } from './report.ts';
import type { HostEndpointSpec, NetworkSetSpec, WorkloadEndpointSpec } from './schemas/endpoint.ts';
import type { Metadata } from './schemas/metadata.ts';

const NAMESPACE_LABEL = 'projectcalico.org/namespace';

/** A host endpoint needs something to be found by. */
export function checkHostEndpoint(spec: HostEndpointSpec, report: Report): void {
  if ((spec.interfaceName ?? '') !== '' || (spec.expectedIPs ?? []).length > 0) return;
  report(['spec'], 'no interfaceName or expectedIPs', { code: 'MISSING_FIELD', expected: 'at least one of them' });
}

/** Ports that nothing else names need a name; gateways have their family; translated addresses are the endpoint's own. */
export function checkWorkloadEndpoint(spec: WorkloadEndpointSpec, report: Report): void {
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if ((port.name ?? '') !== '' || (port.hostPort ?? 0) > 0) continue;
    const what = 'a port without hostPort has no name';
    report(['spec', 'ports', index, 'name'], what, { code: 'MISSING_FIELD' });
  }
  checkGateway(spec.ipv4Gateway, 4, ['spec', 'ipv4Gateway'], report);
  checkGateway(spec.ipv6Gateway, 6, ['spec', 'ipv6Gateway'], report);
  const own = new Set((spec.ipNetworks ?? []).map((text) => parsePrefixText(text)?.words.join()));
  for (const [index, { internalIP, externalIP }] of (spec.ipNATs ?? []).entries()) {
    const path = ['spec', 'ipNATs', index];
    if (!own.has(parseIpText(internalIP)?.join())) {
      const details = { found: internalIP, expected: 'one of ipNetworks' };
      report([...path, 'internalIP'], 'NAT is not in the endpoint networks', details);
    }
    if (familyOf(internalIP) === familyOf(externalIP)) continue;
    const details = { found: externalIP, expected: `an address of the family of ${internalIP}` };
    report([...path, 'externalIP'], 'mismatched IP versions', details);
  }
}

/** Network sets get their namespace's label from Tortie. */
export function checkNetworkSet(_spec: NetworkSetSpec, report: Report, metadata: Metadata): void {
  if (!Object.hasOwn(metadata.labels, NAMESPACE_LABEL)) return;
  report(['metadata', 'labels', NAMESPACE_LABEL], `${NAMESPACE_LABEL} is not a valid label name`);
}

function checkGateway(gateway: string | undefined, family: 4 | 6, path: FieldPath, report: Report): void {
  if (gateway === undefined || gateway === '' || familyOf(gateway) === family) return;
  report(path, `invalid IPv${family} gateway address specified`, { found: gateway });
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}
