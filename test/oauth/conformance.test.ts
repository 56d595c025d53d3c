// The authorization scenarios of the protocol's conformance suite, with Chromium as the user. Its other scenarios for
// servers are in test/conformance; those for clients do not apply.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRing, register } from '../support/front.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../survive/support/replica.ts';
import { approve, browserLacks, startBrowser } from './support/browser.ts';
import { linkIn } from './support/client.ts';

const lacks = browserLacks();
if (lacks !== undefined) console.warn(`SKIPPED: authorization scenarios of the conformance suite: ${lacks}`);

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

let gateway: TestGateway;
let browser: Browser;

describe.skipIf(lacks !== undefined)('the authorization scenarios of the conformance suite', () => {
  beforeAll(async () => {
    [gateway, browser] = await Promise.all([startTestGateway({ config: { OAUTH_KEYS: [newRing()] } }), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  it('all pass', async () => {
    const port = await freePort();
    const { body } = await register(gateway.url, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
    const options = ['--url', gateway.url, '--client-id', body.client_id, '--resource', String(gateway.mcpUrl)];
    const args = [SUITE, 'authorization', ...options, '--port', String(port)];
    // The suite needs Node 22; older ones borrow its binary from npm.
    const isOld = Number(process.versions.node.split('.')[0]) < 22;
    const [command, ...prefix] = isOld ? ['npx', '-y', '-p', 'node@22', 'node'] : [process.execPath];
    const child = spawn(command ?? process.execPath, [...prefix, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        output += chunk;
      });
    const ended = new Promise<number | null>(resolve => child.once('close', resolve));
    await approve(browser, await linkIn(child.stdout, child.stderr), { key: newKey() });
    expect(await ended, output).toBe(0);
    expect(output).toContain('authorization-server-metadata-endpoint');
    expect(output).toContain('authorization-code-grant');
    expect(output).not.toMatch(/[1-9]\d* failed/i);
  });
});
