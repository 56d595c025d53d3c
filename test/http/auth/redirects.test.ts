// Callbacks: which can be registered, which match a registered one, and look-alikes that do neither.
import { describe, expect, it } from 'vitest';
import { createCallbackList, isPlain, matchesCallback, withAnswer } from '../../../src/http/auth/redirects.ts';

const ISSUER = 'https://gateway.example';
const mayUse = createCallbackList([], ISSUER);
const CLAUDE = 'https://claude.ai/api/mcp/auth_callback';

const LOOK_ALIKES = [
  'https://claude.ai@evil.example/api/mcp/auth_callback',
  'https://claude.ai:x@evil.example/api/mcp/auth_callback',
  'https://user@claude.ai/api/mcp/auth_callback',
  'https://claude.ai\\@evil.example/api/mcp/auth_callback',
  'https:\\\\claude.ai/api/mcp/auth_callback',
  'https://claude.ai\\.evil.example/api/mcp/auth_callback',
  'https://claude.ai/api/mcp/auth_callback#',
  'https://claude.ai/api/mcp/auth_callback#fragment',
  'https://claude.ai.evil.example/api/mcp/auth_callback',
  'https://evil-claude.ai/api/mcp/auth_callback',
  'https://evil.claude.ai/api/mcp/auth_callback',
  'https://claude.ai:444/api/mcp/auth_callback',
  'https://claude.ai:443/api/mcp/auth_callback',
  'https://CLAUDE.ai/api/mcp/auth_callback',
  'https://claude.ai/API/mcp/auth_callback',
  'https://claude.ai./api/mcp/auth_callback',
  'https://сlaude.ai/api/mcp/auth_callback',
  'https://claude。ai/api/mcp/auth_callback',
  'https://claude.ai/api/mcp/auth_callback/',
  'https://claude.ai/api/mcp/auth_callback?next=//evil.example',
  'https://claude.ai/api/mcp/auth_callback/../../../evil',
  'https://claude.ai/api/mcp/%2e%2e/auth_callback',
  'https://claude.ai//api/mcp/auth_callback',
  ' https://claude.ai/api/mcp/auth_callback',
  'https://claude.ai/api/mcp/auth_callback\n',
  'https://claude.ai\t/api/mcp/auth_callback',
  'http://claude.ai/api/mcp/auth_callback',
  'HTTPS://claude.ai/api/mcp/auth_callback',
  '//claude.ai/api/mcp/auth_callback',
  'javascript:alert(1)//claude.ai/api/mcp/auth_callback',
  'javascript://claude.ai/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://claude.ai/x',
  'about:blank',
  'cursor://evil/oauth/callback',
  'cursor://anysphere.cursor-mcp/oauth/callback/x',
  'https://chatgpt.com/connector/oauth/../../evil',
  'https://chatgpt.com/connector/oauth/x/y',
  'https://chatgpt.com/connector/oauth/',
  `https://chatgpt.com/connector/oauth/${'x'.repeat(129)}`,
  'https://gateway.example',
  'https://gateway.example/mcp',
  '',
  '*',
];

it.each(LOOK_ALIKES)('%j cannot be registered by an unknown app', callback => {
  expect(mayUse(callback)).toBe(false);
});
it.each(LOOK_ALIKES.filter(callback => callback !== CLAUDE))(
  '%j does not match the callback that it looks like',
  callback => {
    expect(matchesCallback([CLAUDE, 'https://chatgpt.com/connector/oauth/x'], callback)).toBe(false);
  },
);

const LOOPBACK_LOOK_ALIKES = [
  'http://localhost.evil.example/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://localhost@evil.example/callback',
  'http://127.0.0.1:80@evil.example/callback',
  'http://evil.example/127.0.0.1/callback',
  'http://127.1/callback',
  'http://2130706433/callback',
  'http://0x7f000001/callback',
  'http://0177.0.0.1/callback',
  'http://127.0.0.2/callback',
  'http://0.0.0.0/callback',
  'http://[::]/callback',
  'http://[::ffff:127.0.0.1]/callback',
  'http://[0:0:0:0:0:0:0:1]/callback',
  'http://LOCALHOST/callback',
  'http://localhost./callback',
  'http://localhost:/callback',
  'http://localhost:99999/callback',
  'http://localhost:1a/callback',
  'http://localhost\\callback',
  'http://localhost/callback#x',
  'http://localhost/../callback',
  'http://10.0.0.1/callback',
  'https://localhost/callback/',
  'ws://localhost/callback',
];
it.each(LOOPBACK_LOOK_ALIKES)('%j is not a loopback callback', callback => {
  expect(mayUse(callback)).toBe(false);
  expect(matchesCallback(['http://localhost/callback', 'http://127.0.0.1/callback'], callback)).toBe(false);
});

describe('apps on this computer', () => {
  it.each([
    ['http://localhost/callback', 'http://localhost:51234/callback'],
    ['http://127.0.0.1/callback', 'http://localhost:51234/callback'],
    ['http://127.0.0.1:33418/', 'http://127.0.0.1:40000/'],
    ['http://127.0.0.1:33418', 'http://127.0.0.1:40000/'],
    ['http://localhost/callback', 'http://[::1]:9/callback'],
    ['http://localhost/callback?a=b', 'http://localhost:7/callback?a=b'],
  ])('registered %s, used %s: port and host name of loopback may differ', (registered, given) => {
    expect(matchesCallback([registered], given)).toBe(true);
    expect(mayUse(given)).toBe(true);
  });
  it.each([
    ['http://localhost/callback', 'http://localhost/other'],
    ['http://localhost/callback', 'http://localhost/callback/'],
    ['http://localhost/callback', 'http://localhost/callback?a=b'],
    ['http://localhost/callback', 'https://localhost/callback'],
    ['https://localhost/callback', 'http://localhost/callback'],
  ])('registered %s, used %s: path, query and scheme must be the same', (registered, given) => {
    expect(matchesCallback([registered], given)).toBe(false);
  });
});

it.each([
  CLAUDE,
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://chatgpt.com/connector/oauth/Ab_1-x',
  'https://vscode.dev/redirect',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://global.consent.azure-apim.net/redirect',
  'https://global.consent.azure-apim.net/redirect/my-connector',
  `${ISSUER}/`,
])('%s is a known callback', callback => expect(mayUse(callback)).toBe(true));

it('the operator can add single callbacks, or all https callbacks', () => {
  const one = createCallbackList(['https://app.example/cb'], ISSUER);
  expect(one('https://app.example/cb')).toBe(true);
  expect(one('https://app.example/cb2')).toBe(false);
  const all = createCallbackList(['*'], ISSUER);
  expect(all('https://any.example/cb?x=1')).toBe(true);
  for (const callback of ['http://any.example/cb', 'https://a@any.example/', 'https://any.example/#x', 'evil://x/'])
    expect(all(callback)).toBe(false);
});

it('a callback that is too long is refused', () => {
  expect(isPlain(`https://app.example/${'x'.repeat(600)}`)).toBe(false);
});

it('the response is added to the query, and the existing query is kept', () => {
  expect(withAnswer('http://localhost/cb', { code: 'c', state: 'a b&c=d+%', iss: undefined })).toBe(
    'http://localhost/cb?code=c&state=a%20b%26c%3Dd%2B%25',
  );
  expect(withAnswer('http://localhost/cb?x=%41+y', { code: 'c' })).toBe('http://localhost/cb?x=%41+y&code=c');
});
