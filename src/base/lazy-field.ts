// Fields of frozen objects that are worked out when first read. To readers, copies and comparisons they are fields like
// any other.

interface Deferred {
  readonly create: () => unknown;
  value: unknown;
  isKnown: boolean;
}

type Holder = { readonly [DEFERRED]: Deferred };

const DEFERRED = Symbol('deferred');

/** One getter for all objects, so that they keep sharing their shape. */
function readDeferred(this: Holder): unknown {
  const deferred = this[DEFERRED];
  if (!deferred.isKnown) {
    deferred.value = deferred.create();
    deferred.isKnown = true;
  }
  return deferred.value;
}

/** Adds the field to the object and freezes it. `create` runs once, at the first read or never. */
export function withLazyField<T extends object, K extends string, V>(
  object: T,
  name: K,
  create: () => V,
): Readonly<T & Record<K, V>> {
  const deferred: Deferred = { create, value: undefined, isKnown: false };
  Object.defineProperty(object, DEFERRED, { value: deferred });
  Object.defineProperty(object, name, { get: readDeferred, enumerable: true });
  return Object.freeze(object) as Readonly<T & Record<K, V>>;
}
