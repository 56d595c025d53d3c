// HTTP between a sandbox's own programs and its ports, without sockets. Types only.

export type LocalRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};
export type LocalResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};
export type Serve = (request: LocalRequest) => Promise<LocalResponse>;

/** The network of a machine whose programs have no sockets. */
export interface Network {
  /** A program starts; until `done` or a moment has passed, requests wait for the port it may be about to open. */
  starting(): () => void;
  /** Throws when it is not the sandbox's own address, or nothing listens there. */
  request(url: string, request: Omit<LocalRequest, 'path'>): Promise<LocalResponse>;
  /** The returned function closes it. Throws when the port is taken. */
  listen(port: number, serve: Serve): () => void;
  /** Any port that is free. */
  free(): number;
}
