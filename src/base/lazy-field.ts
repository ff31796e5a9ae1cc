// Fields of frozen objects that are worked out when first read. To readers, copies and comparisons they are fields like
// any other. What nobody reads costs nothing: there are many such objects, and few are asked.

/** Adds the field to an object and freezes it; `from` is what `create` makes the value of. */
export type LazyField<K extends string, S, V> = <T extends object>(object: T, from: S) => Readonly<T & Record<K, V>>;

const FROM = Symbol('from');

interface Holder<S> {
  readonly [FROM]: S;
}

/**
 * A kind of field. `create` runs once for each object, at the first read or never; it gets what the field is made from
 * and the object. One getter serves all objects, so that they share their shape.
 */
export function lazyField<K extends string, S, V>(name: K, create: (from: S, object: object) => V): LazyField<K, S, V> {
  const known = new WeakMap<object, { readonly value: V }>();
  function get(this: Holder<S>): V {
    let field = known.get(this);
    if (field === undefined) {
      field = { value: create(this[FROM], this) };
      known.set(this, field);
    }
    return field.value;
  }
  return <T extends object>(object: T, from: S) => {
    Object.defineProperty(object, FROM, { value: from });
    Object.defineProperty(object, name, { get, enumerable: true });
    return Object.freeze(object) as Readonly<T & Record<K, V>>;
  };
}
