// The type that holds everything specific to one API. The composition root passes a value of it to the other folders,
// which do not know which API they serve. The value for E2B is in src/e2b/api.ts.

export type Api = {
  /** The API's name as people write it. */
  readonly title: string;
  /** OpenAPI file: a path in the package, or an absolute URL. `<name>.capabilities.yaml` beside it is optional. */
  readonly descriptionFile: string;
  readonly key: KeyForm;
  /** Where a person can do by hand what the guard refuses, e.g. "the E2B dashboard". */
  readonly dashboard: string;
  readonly signIn: SignInWords;
  /** The server instructions of MCP, which clients pass on to their model. */
  readonly instructions: string;
  readonly tools: Readonly<Record<'search' | 'read' | 'write', ToolText>>;
};

type KeyForm = {
  /** Returns the key in its canonical spelling. @throws GatewayError key_malformed */
  readonly parse: (text: string) => string;
  /** Replaces every key in a text. The logger applies it to each line, as its last line of defence. */
  readonly mask: (text: string) => string;
  /** The form of a key, shown where one is missing: `e2b_…`. */
  readonly example: string;
  /** The `WWW-Authenticate` header of a 401 response. */
  readonly challenge: string;
};

/** Texts for clients and people who sign in by OAuth. */
type SignInWords = {
  /** Prefix of scope names, and the realm of challenges: lower-case letters and digits. */
  readonly slug: string;
  /** Prefix of every sealed value (token, code, state), by which logs and secret scanners recognize one. */
  readonly sealedPrefix: string;
  readonly documentationUrl: string;
  /** The page where a person creates an API key. */
  readonly keysUrl: string;
  /** Describes in words what a key looks like. */
  readonly keyForm: string;
  /** Describes what each scope lets an app do. */
  readonly allows: Readonly<Record<'read' | 'write', string>>;
};

/** The limits that a tool's description mentions. */
export type ToolLimits = { readonly wallMs: number; readonly cpuMs: number; readonly resultChars: number };

type ToolText = { readonly title: string; readonly description: (limits: ToolLimits) => string };
