// How a line of docs/compatibility.md is pinned: manifests beside a small world, and what each question to them answers
// in the reference evaluator and in the compiled tables, or the error that refuses them.

export interface Question {
  readonly ask: Readonly<Record<string, unknown>>;
  /** Traces of the two sides; a side that is not given is not looked at. */
  readonly egress?: readonly string[];
  readonly ingress?: readonly string[];
  /** Pending trace of the ingress side. */
  readonly pending?: readonly string[];
}

export interface Refusal {
  readonly code: string;
  readonly field: string;
  readonly message: RegExp;
}

export interface Choice {
  /** First cell of the line, as it is written. */
  readonly subject: string;
  /** Added to the world. */
  readonly manifests: string;
  readonly answers?: readonly Question[];
  readonly refused?: Refusal;
}

/** Two pods in namespace shop, one in namespace yard; each namespace's profile allows what no policy decides. */
export const WORLD = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: red } }
---
apiVersion: v1
kind: Namespace
metadata: { name: yard, labels: { team: blue } }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web, labels: { app: web } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.1 }, { ip: "fd00::1" }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: db, labels: { app: db } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.2 }, { ip: "fd00::2" }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: yard, name: van, labels: { app: van } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.3 }, { ip: "fd00::3" }] }
---
`;

const ADDRESSES: Readonly<Record<string, readonly [string, string]>> = {
  web: ['10.0.0.1', 'fd00::1'],
  db: ['10.0.0.2', 'fd00::2'],
  van: ['10.0.0.3', 'fd00::3'],
  world: ['192.0.2.1', '2001:db8::1'],
};

type More = Readonly<Record<string, unknown>>;

/** A flow to TCP port 80, unless `more` says otherwise. */
export function from(source: string, destination: string, more: More = {}): More {
  return { ...addresses(source, destination, 0), protocol: 'TCP', dstPort: 80, ...more };
}

/** The same over IPv6. */
export function fromV6(source: string, destination: string, more: More = {}): More {
  return { ...addresses(source, destination, 1), protocol: 'TCP', dstPort: 80, ...more };
}

/** A Calico policy, on pods with app=db unless the spec has a selector; cluster-wide for global kinds. */
export function policy(kind: string, name: string, spec: string): string {
  const scope = kind.includes('Global') ? '' : 'namespace: shop, ';
  const selector = spec.startsWith('selector:') ? '' : 'selector: app == "db", ';
  return calico(kind, `{ ${scope}name: ${name} }`, `{ ${selector}${spec} }`);
}

export function calico(kind: string, metadata: string, spec: string): string {
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n---\n`;
}

function addresses(source: string, destination: string, index: 0 | 1): More {
  return { src: ADDRESSES[source]?.[index] ?? source, dst: ADDRESSES[destination]?.[index] ?? destination };
}
