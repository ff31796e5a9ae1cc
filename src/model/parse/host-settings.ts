// FelixConfiguration resources -> HostSettings: the fields that are policy. What else they say is for src/agent/config.
import { parseFailsafePorts } from '../../resources/failsafe-ports.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import {
  type EndpointToHostAction,
  type Failsafe,
  failsafeOf,
  type HostSettings,
  nodeSettingsKey,
  SETTINGS_FOR_ALL,
} from '../host-settings.ts';
import { ParseContext, type ParseResult } from './result.ts';

type FelixConfiguration = ResourceOf<'FelixConfiguration'>;
type WrittenPorts = FelixConfiguration['spec']['failsafeInboundHostPorts'];

/** Objects that are for neither all nodes nor one become nothing; src/agent/config says so. */
export function parseHostSettings(resource: FelixConfiguration): ParseResult {
  const { spec, name, location } = resource;
  const context = new ParseContext(resource);
  if (name !== SETTINGS_FOR_ALL && !name.startsWith(nodeSettingsKey(''))) return context.result();
  const settings: HostSettings = {
    type: 'hostSettings',
    key: name,
    failsafes: {
      ingress: failsafes(spec.failsafeInboundHostPorts),
      egress: failsafes(spec.failsafeOutboundHostPorts),
    },
    endpointToHost: spec.defaultEndpointToHostAction?.toLowerCase() as EndpointToHostAction | undefined,
    location,
  };
  return context.result(settings);
}

function failsafes(written: WrittenPorts): readonly Failsafe[] | undefined {
  if (written === undefined) return undefined;
  return parseFailsafePorts(written)?.map(({ protocol, port, net }) => failsafeOf(protocol, port, net));
}
