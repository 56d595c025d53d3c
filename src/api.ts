// All that is one API's alone, as one value: what the gateway drives is handed in where the parts are put together, and
// no other folder knows which API it is. src/e2b/api.ts has E2B's.

export type Api = {
  /** What people call it. */
  readonly title: string;
  /** OpenAPI, below the package's root or an absolute URL. `<name>.capabilities.yaml` beside it is optional. */
  readonly descriptionFile: string;
  readonly key: KeyForm;
  /** Where a person does by hand what the guard refuses: "the E2B dashboard". */
  readonly dashboard: string;
  readonly signIn: SignInWords;
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

/** What clients and people read where they sign in by OAuth. */
type SignInWords = {
  /** In front of the names of scopes, and the realm of challenges: lower-case letters and digits. */
  readonly slug: string;
  /** In front of everything sealed, so that logs and scanners of secrets recognize it. */
  readonly sealedPrefix: string;
  readonly documentationUrl: string;
  /** Where a person makes a key. */
  readonly keysUrl: string;
  /** How a key looks. */
  readonly keyForm: string;
  /** What each scope lets an app do. */
  readonly allows: Readonly<Record<'read' | 'write', string>>;
};

/** What a tool's text says of its limits. */
export type ToolLimits = { readonly wallMs: number; readonly cpuMs: number; readonly resultChars: number };

type ToolText = { readonly title: string; readonly description: (limits: ToolLimits) => string };
