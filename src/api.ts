// All that is one API's alone, as one value: what the gateway drives is handed in where the parts are put together, and
// no room knows which API it is. src/e2b/api.ts has E2B's.

export type Api = {
  /** What people call it. */
  readonly title: string;
  /** OpenAPI, below the package's root or an absolute URL. `<name>.capabilities.yaml` beside it is optional. */
  readonly descriptionFile: string;
  readonly key: KeyForm;
  /** Where a person does by hand what the guard refuses: "the E2B dashboard". */
  readonly dashboard: string;
  /** What an MCP client tells its model about the server. */
  readonly instructions: string;
  readonly tools: Readonly<Record<'search' | 'read' | 'write', ToolText>>;
};

type KeyForm = {
  /** The key in its one spelling. @throws GatewayError key_malformed */
  readonly parse: (text: string) => string;
  /** The text with every key in it replaced: the log's last line of defence. */
  readonly mask: (text: string) => string;
  /** Shown where a key is missing: `e2b_…`. */
  readonly example: string;
  /** `WWW-Authenticate` of a 401 answer. */
  readonly challenge: string;
};

/** What a tool's text says of its limits. */
export type ToolLimits = { readonly wallMs: number; readonly cpuMs: number; readonly resultChars: number };

type ToolText = { readonly title: string; readonly description: (limits: ToolLimits) => string };
