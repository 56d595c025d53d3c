// Runs the MCP Inspector's command line as a process.
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
export const npmCache = process.env.npm_config_cache ?? join(process.env.HOME ?? tmpdir(), '.npm');

/** `home`: the folder in which it keeps its state. Resolves with its output when it has succeeded. */
export function startInspector(home: string, args: readonly string[]) {
  const newerNode = Number(process.versions.node.split('.')[0]) < 22 ? ['-p', 'node@22'] : [];
  const child = spawn('npx', ['-y', ...newerNode, '-p', INSPECTOR, 'mcp-inspector', ...args], {
    // Without a terminal it starts a sign-in only if it may open a browser: the program `true` opens none.
    env: {
      ...process.env,
      HOME: home,
      BROWSER: 'true',
      MCP_AUTO_OPEN_ENABLED: 'true',
      MCP_INSPECTOR_SECRET_STORE: 'file',
      npm_config_cache: npmCache,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', chunk => (output += chunk));
  child.stderr.on('data', chunk => (errors += chunk));
  const ended = new Promise<string>((resolve, reject) =>
    child.once('close', code => (code === 0 ? resolve(output) : reject(new Error(`${code}: ${errors}`)))),
  );
  return { child, ended };
}
