// Every model object there is, by type and key: what the reference evaluator and the calc graph both read.
import type { HostEndpoint, NetworkSet, ServiceSlice, WorkloadEndpoint } from './endpoint.ts';
import type { HostSettings } from './host-settings.ts';
import type { Policy, Profile, Tier } from './policy.ts';

export type ModelObject =
  | Policy
  | Tier
  | Profile
  | WorkloadEndpoint
  | HostEndpoint
  | HostSettings
  | NetworkSet
  | ServiceSlice;
export type ModelType = ModelObject['type'];

/** Keyed by `key`, except tiers and profiles: those are keyed by name. */
export interface World {
  readonly policies: ReadonlyMap<string, Policy>;
  readonly tiers: ReadonlyMap<string, Tier>;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly workloadEndpoints: ReadonlyMap<string, WorkloadEndpoint>;
  readonly hostEndpoints: ReadonlyMap<string, HostEndpoint>;
  readonly hostSettings: ReadonlyMap<string, HostSettings>;
  readonly networkSets: ReadonlyMap<string, NetworkSet>;
  readonly serviceSlices: ReadonlyMap<string, ServiceSlice>;
}
