// Path and method -> route. A path that nobody could mean is refused here, before anything looks at it.
import { invalidRequest } from './failure.ts';
import type { Method, Route } from './route.ts';

export interface RouteMatch {
  readonly params: Readonly<Record<string, string>>;
  /** undefined = the path is known, but not with this method. */
  readonly route: Route | undefined;
  /** Methods that the path is known with. */
  readonly methods: readonly Method[];
}

interface PathNode {
  readonly fixed: Map<string, PathNode>;
  parameter: { readonly name: string; readonly node: PathNode } | undefined;
  readonly routes: Map<string, Route>;
}

const MAX_PATH_LENGTH = 4096;

export class Router {
  readonly #root = newNode();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
  }

  /** undefined = no such path. Throws INVALID_REQUEST for a path that is not well-formed. */
  find(method: string, path: string): RouteMatch | undefined {
    const params: Record<string, string> = {};
    let node: PathNode | undefined = this.#root;
    for (const segment of splitPath(path)) {
      const known: PathNode | undefined = node.fixed.get(segment);
      if (known === undefined && node.parameter !== undefined) params[node.parameter.name] = segment;
      node = known ?? node.parameter?.node;
      if (node === undefined) return undefined;
    }
    if (node.routes.size === 0) return undefined;
    return { params, route: node.routes.get(method), methods: [...node.routes.keys()] as Method[] };
  }

  #add(route: Route): void {
    let node = this.#root;
    for (const segment of route.path.slice(1).split('/')) {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1];
      if (name === undefined) node = nodeAt(node.fixed, segment);
      else {
        node.parameter ??= { name, node: newNode() };
        node = node.parameter.node;
      }
    }
    node.routes.set(route.method, route);
  }
}

/** Decoded segments. */
function splitPath(path: string): string[] {
  if (!path.startsWith('/')) throw invalidRequest('path', 'does not begin with a slash');
  if (path.length > MAX_PATH_LENGTH) throw invalidRequest('path', 'is too long', { found: `${path.length} bytes` });
  return path
    .slice(1)
    .split('/')
    .map((segment) => {
      const text = decode(segment);
      if (text !== '' && text !== '.' && text !== '..' && !hasControls(text)) return text;
      throw invalidRequest('path', 'has a part that names nothing', { found: JSON.stringify(segment) });
    });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidRequest('path', 'is not well-formed percent-encoding', { found: JSON.stringify(segment) });
  }
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 0x20) return true;
  return false;
}

function nodeAt(nodes: Map<string, PathNode>, key: string): PathNode {
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const node = newNode();
  nodes.set(key, node);
  return node;
}

function newNode(): PathNode {
  return { fixed: new Map(), parameter: undefined, routes: new Map() };
}
