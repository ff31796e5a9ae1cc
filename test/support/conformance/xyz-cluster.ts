// The nine pods of the Kubernetes suites: namespaces x, y, z, in each of them a, b, c, all serving ports 80 and 81 of every protocol.
import type { Cluster, Manifest, ServedPort } from './case.ts';
import { namespace, type Place, pod } from './cluster.ts';

export const XYZ_PORTS: readonly ServedPort[] = (['TCP', 'UDP', 'SCTP'] as const).flatMap((protocol) =>
  [80, 81].map((port) => ({ protocol, port, name: `serve-${port}-${protocol.toLowerCase()}` })),
);

/**
 * Scattered so that a prefix cuts across namespaces: x/c, y/b and z/c share the 16 addresses around z/c, all near ones the 256 around
 * it, y/a and z/b are in another prefix.
 */
const PLACES: Readonly<Record<string, Place>> = {
  'x/a': { number: 3 },
  'x/b': { number: 20 },
  'x/c': { number: 36 },
  'y/a': { number: 5, isFar: true },
  'y/b': { number: 37 },
  'y/c': { number: 21 },
  'z/a': { number: 22 },
  'z/b': { number: 7, isFar: true },
  'z/c': { number: 38 },
};

export function placeOf(name: string): Place {
  const place = PLACES[name];
  if (place === undefined) throw new Error(`no place of pod ${name}`);
  return place;
}

/** A pod with the label `pod: <name>`, which serves what all serve. */
export function xyzPod(inNamespace: string, name: string, place: Place): Manifest {
  return pod(inNamespace, name, { pod: name }, place, XYZ_PORTS);
}

export const XYZ: Cluster = {
  namespaces: ['x', 'y', 'z'].map((name) => namespace(name, { ns: name })),
  pods: Object.entries(PLACES).map(([name, place]) => {
    const [inNamespace = '', podName = ''] = name.split('/');
    return xyzPod(inNamespace, podName, place);
  }),
  ports: XYZ_PORTS,
};

/** Pods that some cases create: they have a place, and in a lab a network, but no manifest until then. */
export const LATE_PODS: readonly Manifest[] = [
  xyzPod('x', 'd', { number: 23 }),
  xyzPod('y-2', 'a', { number: 24 }),
  xyzPod('y-2', 'b', { number: 25 }),
  xyzPod('w', 'a', { number: 26 }),
];

/** Throws an ordinary Error. */
export function latePod(name: string): Manifest {
  const found = LATE_PODS.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === name);
  if (found === undefined) throw new Error(`no late pod ${name}`);
  return found;
}
