// What each client needs to connect to a gateway: lines to paste, links that install it, or why it cannot connect.
// Pure, so that the page and the tests use the same data.

export type Where = {
  readonly endpoint: string;
  readonly isLoopback: boolean;
  readonly signIn: boolean;
  readonly keys: boolean;
  readonly title: string;
};
type Step = { readonly about: string; readonly text: string };
export type Recipe = {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly Step[];
  readonly link?: { readonly label: string; readonly href: string };
  /** Why the client cannot connect to this gateway. The steps are empty then. */
  readonly impossible?: string;
};

const VARIABLE = 'E2B_API_KEY';
const json = (value: unknown): string => JSON.stringify(value, null, 2);
const base64 = (text: string): string => btoa(text);

export function recipes(where: Where): readonly Recipe[] {
  const clients = [claudeCode, claudeAi, claudeDesktop, chatGpt, cursor, vsCode, codex, gemini, inspector, any];
  return clients.map(client => client(where));
}

/** Hosted clients call from the internet, and support sign-in only. */
function hosted(id: string, name: string, where: Where, steps: readonly Step[]): Recipe {
  const { isLoopback, signIn } = where;
  if (isLoopback)
    return {
      id,
      name,
      steps: [],
      impossible: `${name} calls from the internet and cannot reach this computer. Serve the gateway under a public https address.`,
    };
  if (!signIn)
    return {
      id,
      name,
      steps: [],
      impossible: `${name} connects by OAuth only, which is off on this gateway. The operator turns it on with OAUTH_KEYS.`,
    };
  return { id, name, steps };
}

const signsInAbout = ({ signIn }: Where): string => (signIn ? ' (it opens a browser window to sign in)' : '');

function claudeCode(where: Where): Recipe {
  const { endpoint, signIn, keys } = where;
  const withKey = `claude mcp add --transport http e2b ${endpoint} --header "Authorization: Bearer $${VARIABLE}"`;
  const bySignIn = `claude mcp add --transport http e2b ${endpoint}`;
  return {
    id: 'claude-code',
    name: 'Claude Code',
    steps: [
      ...(keys ? [{ about: `With a key in ${VARIABLE}`, text: withKey }] : []),
      ...(signIn ? [{ about: 'By sign-in: add it, then /mcp in Claude Code', text: bySignIn }] : []),
    ],
  };
}

const claudeAi = (where: Where): Recipe =>
  hosted('claude-ai', 'claude.ai', where, [
    { about: 'Settings → Connectors → Add custom connector; paste the address', text: where.endpoint },
  ]);

function claudeDesktop(where: Where): Recipe {
  const args = ['-y', 'mcp-remote', where.endpoint];
  const withKey = {
    command: 'npx',
    args: [...args, '--header', `Authorization:\${AUTH}`],
    env: { AUTH: `Bearer <your key>` },
  };
  const config = json({ mcpServers: { e2b: where.keys ? withKey : { command: 'npx', args } } });
  return {
    id: 'claude-desktop',
    name: 'Claude Desktop',
    steps: [
      { about: 'Settings → Developer → Edit Config (claude_desktop_config.json)', text: config },
      ...(where.signIn && !where.isLoopback
        ? [{ about: 'Or Settings → Connectors → Add custom connector; paste the address', text: where.endpoint }]
        : []),
    ],
  };
}

const chatGpt = (where: Where): Recipe =>
  hosted('chatgpt', 'ChatGPT', where, [
    {
      about: 'Settings → Apps & Connectors → Advanced: developer mode; then Create, with OAuth and this address',
      text: where.endpoint,
    },
  ]);

function cursor(where: Where): Recipe {
  const server = {
    url: where.endpoint,
    ...(where.keys && { headers: { Authorization: `Bearer \${env:${VARIABLE}}` } }),
  };
  return {
    id: 'cursor',
    name: 'Cursor',
    steps: [
      {
        about: `~/.cursor/mcp.json${where.keys ? '' : signsInAbout(where)}`,
        text: json({ mcpServers: { e2b: server } }),
      },
    ],
    link: {
      label: 'Add to Cursor',
      href: `cursor://anysphere.cursor-deeplink/mcp/install?name=e2b&config=${encodeURIComponent(base64(JSON.stringify(server)))}`,
    },
  };
}

function vsCode(where: Where): Recipe {
  const inputs = [{ type: 'promptString', id: 'e2b', description: `${where.title} API key`, password: true }];
  const server = {
    type: 'http',
    url: where.endpoint,
    ...(where.keys && { headers: { Authorization: 'Bearer ${input:e2b}' } }),
  };
  const install = { name: 'e2b', ...server, ...(where.keys && { inputs }) };
  return {
    id: 'vs-code',
    name: 'VS Code',
    steps: [
      {
        about: `.vscode/mcp.json${where.keys ? '' : signsInAbout(where)}`,
        text: json({ ...(where.keys && { inputs }), servers: { e2b: server } }),
      },
    ],
    link: { label: 'Install in VS Code', href: `vscode:mcp/install?${encodeURIComponent(JSON.stringify(install))}` },
  };
}

const codex = (where: Where): Recipe => ({
  id: 'codex',
  name: 'Codex',
  steps: [
    {
      about: '~/.codex/config.toml',
      text: `[mcp_servers.e2b]\nurl = "${where.endpoint}"${where.keys ? `\nbearer_token_env_var = "${VARIABLE}"` : ''}`,
    },
    ...(where.signIn ? [{ about: 'Or sign in instead of the key', text: 'codex mcp login e2b' }] : []),
  ],
});

const gemini = (where: Where): Recipe => ({
  id: 'gemini',
  name: 'Gemini CLI',
  steps: [
    where.keys
      ? {
          about: `With a key in ${VARIABLE}`,
          text: `gemini mcp add --transport http --header "Authorization: Bearer $${VARIABLE}" e2b ${where.endpoint}`,
        }
      : {
          about: 'Add it, then /mcp auth e2b in Gemini CLI',
          text: `gemini mcp add --transport http e2b ${where.endpoint}`,
        },
  ],
});

const inspector = (where: Where): Recipe => ({
  id: 'inspector',
  name: 'Inspector',
  steps: [
    {
      about: where.keys ? `With a key in ${VARIABLE}` : 'Choose “Streamable HTTP”, enter the address, sign in',
      text: where.keys
        ? `npx @modelcontextprotocol/inspector@latest --cli ${where.endpoint} --transport http --header "Authorization: Bearer $${VARIABLE}" --method tools/list`
        : 'npx @modelcontextprotocol/inspector@latest',
    },
  ],
});

const any = (where: Where): Recipe => ({
  id: 'any',
  name: 'Any client',
  steps: [
    { about: 'Streamable HTTP, without sessions, at', text: where.endpoint },
    ...(where.keys ? [{ about: 'With the header', text: 'Authorization: Bearer <your key>' }] : []),
    ...(where.signIn
      ? [
          {
            about: 'Or OAuth; clients find everything from',
            text: where.endpoint.replace(/\/mcp$/, '/.well-known/oauth-protected-resource/mcp'),
          },
        ]
      : []),
  ],
});
