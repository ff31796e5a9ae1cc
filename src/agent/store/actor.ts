// Who asked for a change, and from where: what history says of it. How a connection tells is known in agent/api.

export type Who =
  /** The peer of the unix socket, as the kernel names it (SO_PEERCRED). */
  | { readonly kind: 'local'; readonly uid: number; readonly gid: number; readonly pid: number }
  /** The subject of a client certificate. */
  | { readonly kind: 'certificate'; readonly commonName: string; readonly organization?: string }
  /** Whoever edited manifest files: their owner; undefined = the files are gone. */
  | { readonly kind: 'file'; readonly uid?: number }
  /** The agent itself: a change that nobody confirmed. */
  | { readonly kind: 'agent' };

export interface Origin {
  /** Path of the unix socket, or the client's address and port. */
  readonly socket?: string;
  readonly address?: string;
  /** Manifest files, below their directory. */
  readonly files?: readonly string[];
  readonly userAgent?: string;
}

/** Both ends of a TCP connection, as addresses are written. */
export interface Connection {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

export interface Actor {
  readonly who: Who;
  readonly from: Origin;
  /** The connection that the request came through; undefined = none that policy could cut. */
  readonly connection?: Connection;
}

/** The agent's own doing. */
export const AGENT_ACTOR: Actor = { who: { kind: 'agent' }, from: {} };
