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
  for (const { name, spec } of sorted) {
    if (!names.includes(name)) {
      ignored.push({ origin: `${name}`, reason: `it is for neither all nodes (default) nor this one (node.${node})` });
      continue;
    }
    readSpec(name, spec, layer);
    for (const [field, value] of Object.entries(spec)) {
      const reason = UNUSED_FELIX_FIELDS.get(field);
      if (reason === undefined) continue;
      const undone = leftUndone(field, value);
      ignored.push({ origin: `${name} ${field}`, reason, ...(undone !== undefined && { leftUndone: undone }) });
    }
  }
  return { layer, ignored };
}

/** Later ones win. */
function rank(names: readonly string[], name: string): number {
  return names.indexOf(name);
}

function readSpec(name: string, spec: FelixConfigurationSpec, layer: Map<string, GivenValue>): void {
  for (const [setting, { felix }] of ALL_SETTINGS) {
    if (felix === undefined) continue;
    const written = spec[felix.field];
    if (written !== undefined) layer.set(setting, { value: felix.read(written), origin: `${name} ${felix.field}` });
  }
}
