// FelixConfiguration objects as a source of settings: `default` for every node, `node.<name>` for one, field by field.
import type { ResourceOf } from '../../resources/resource.ts';
import { type FelixConfigurationSpec, UNUSED_FELIX_FIELDS } from '../../resources/schemas/felix-configuration.ts';
import { leftUndone } from './felix-safety.ts';
import type { GivenValue, Layer } from './layer.ts';
import { ALL_SETTINGS } from './settings.ts';

export type FelixConfiguration = Pick<ResourceOf<'FelixConfiguration'>, 'name' | 'spec'>;

/** A field or object that was accepted without effect. */
export interface IgnoredField {
  readonly origin: string;
  readonly reason: string;
  /** What somebody may rely on and does not get; undefined = nothing that protects. */
  readonly leftUndone?: string;
}

export interface FelixReading {
  readonly layer: Layer;
  readonly ignored: readonly IgnoredField[];
}

/** What the objects say for the node; `*` is no node's name, so that only `default` counts. */
export function readFelixConfigurations(objects: Iterable<FelixConfiguration>, node: string): FelixReading {
  const names = ['default', `node.${node}`];
  const layer = new Map<string, GivenValue>();
  const ignored: IgnoredField[] = [];
  const sorted = [...objects].sort((a, b) => rank(names, a.name) - rank(names, b.name));
  const said = new Map<string, SaidField>();
  for (const { name, spec } of sorted) {
    if (!names.includes(name)) {
      ignored.push({ origin: `${name}`, reason: `it is for neither all nodes (default) nor this one (node.${node})` });
      continue;
    }
    for (const [field, value] of Object.entries(spec)) said.set(field, { value, origin: `${name} ${field}` });
    for (const [field, value] of Object.entries(spec)) {
      const reason = UNUSED_FELIX_FIELDS.get(field);
      if (reason === undefined) continue;
      const undone = leftUndone(field, value);
      ignored.push({ origin: `${name} ${field}`, reason, ...(undone !== undefined && { leftUndone: undone }) });
    }
  }
  ignored.push(...readFields(said, layer));
  return { layer, ignored };
}

interface SaidField {
  readonly value: unknown;
  readonly origin: string;
}

/** Later ones win. */
function rank(names: readonly string[], name: string): number {
  return names.indexOf(name);
}

/** Into the layer; returns those that say nothing after all. */
function readFields(said: ReadonlyMap<string, SaidField>, layer: Map<string, GivenValue>): IgnoredField[] {
  const ignored: IgnoredField[] = [];
  const spec = Object.fromEntries([...said].map(([field, { value }]) => [field, value])) as FelixConfigurationSpec;
  for (const [setting, { felix }] of ALL_SETTINGS) {
    const written = felix && said.get(felix.field);
    if (felix === undefined || written?.value === undefined) continue;
    const value = felix.read(written.value, spec);
    if (value !== undefined) layer.set(setting, { value, origin: written.origin });
    else ignored.push({ origin: written.origin, reason: felix.unless ?? 'it says nothing of a setting' });
  }
  return ignored;
}
