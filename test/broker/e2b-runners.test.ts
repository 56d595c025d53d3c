// The gateway's own sandboxes: hidden in listings, refused in calls, and no other sandbox can look like one.
import { describe, expect, it } from 'vitest';
import {
  hiddenFrom,
  refuseRunner,
  refuseRunnerMetadata,
  refuseRunnerRequest,
  withoutHidden,
} from '../../src/broker/e2b/runners.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { shapeAnswer } from '../../src/upstream/answer.ts';
import { type GuardedRequest, guardRequest } from '../../src/upstream/guard.ts';
import { Operations } from '../../src/upstream/operations.ts';

const operations = new Operations(await loadDescription('openapi/e2b.yaml'), { allowUnlisted: true });
const asked = (method: string, path: string, more: object = {}): GuardedRequest =>
  guardRequest({ method, path, unchecked: true, ...more }, 'write', operations);

const RUNNER = 'irunner0000000000000x';
const isHidden = (id: string) => id === RUNNER;
const mine = { sandboxID: 'imine000000000000000x', metadata: { owner: 'me' } };
const bare = { sandboxID: 'ibare000000000000000x' };
const runner = { sandboxID: RUNNER, metadata: { 'e2b-code-mode/runner': 'a.1' } };
/** What a guest sees of the response to a request. */
function answered(request: GuardedRequest, data: unknown, headers: Record<string, string>) {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const shaped = shapeAnswer(text, { apiKey: 'e2b_0', hiddenMetadataKey: hiddenFrom(request) });
  const answer = withoutHidden({ status: 200, headers, shaped });
  return { value: JSON.parse(wholeText(answer.shaped.json)), headers: answer.headers };
}

describe('listings', () => {
  it.each([
    '/sandboxes',
    '/v2/sandboxes',
    '/v3/sandboxes', // not in the description
    '/sandboxes/',
    '/v2/./%73andboxes',
    '/some/new/list',
  ])('GET %s does not show runners', path => {
    expect(answered(asked('GET', path), [mine, runner, bare], { 'x-total-running': '7' })).toEqual({
      value: [mine, bare],
      headers: { 'x-total-running': '6' },
    });
  });

  it.each<[what: string, method: 'GET' | 'POST', path: string, data: unknown]>([
    ['listings without runners', 'GET', '/v2/sandboxes', [mine, bare]],
    ['other operations', 'GET', '/templates', [runner]],
    ['creations', 'POST', '/v2/sandboxes', runner],
    ['bodies that are not lists', 'GET', '/v2/sandboxes', { message: 'no' }],
    ['bodies that are not JSON', 'GET', '/v2/sandboxes', 'oops'],
    ['odd entries', 'GET', '/v2/sandboxes', [null, 5, { metadata: null }, { metadata: 'e2b-code-mode/runner' }]],
  ])('are not changed: %s', (_what, method, path, data) => {
    const headers = { 'x-total-running': '7' };
    expect(answered(asked(method, path), data, headers)).toEqual({ value: data, headers });
  });
});

describe('calls', () => {
  const refuse = (request: GuardedRequest) =>
    refuseRunnerRequest(request, request.body === undefined ? undefined : JSON.parse(request.body), isHidden);

  it.each<[method: string, path: string, more?: object]>([
    ['GET', `/sandboxes/${RUNNER}`],
    ['PUT', `/sandboxes/${RUNNER}/network`, { body: {} }],
    ['DELETE', `/sandboxes/${RUNNER}`],
    ['POST', `/v2/sandboxes/${RUNNER}/connect`, { body: {} }],
    ['POST', `/sandboxes/${RUNNER}-client/timeout`, { body: { timeout: 5 } }],
    ['POST', `/sandboxes/${RUNNER.toUpperCase()}/pause`],
    ['POST', `/sandboxes/%69${RUNNER.slice(1)}/fork`],
    ['GET', '/sandboxes/metrics', { query: { sandbox_ids: `imine000000000000000x,${RUNNER}` } }],
    ['GET', `/any/other/${RUNNER}/way`],
  ])('%s %s is refused', (method, path, more) => {
    expect(() => refuse(asked(method, path, more))).toThrow(/belongs to the gateway/);
  });

  it('to other sandboxes are allowed', () => {
    refuse(asked('PUT', '/sandboxes/imine000000000000000x/network', { body: {} }));
    refuseRunner('imine000000000000000x', isHidden);
  });

  it('that would create a sandbox that looks like a runner are refused', () => {
    const body = { templateID: 'base', metadata: { 'e2b-code-mode/runner': '1' } };
    const escaped = JSON.stringify(body).replace('e2b-code', '\\u00652b-code');
    for (const path of ['/sandboxes', '/v2/sandboxes', '/v3/sandboxes']) {
      expect(() => refuse(asked('POST', path, { body }))).toThrow(/gateway's own/);
      const raw = { rawBody: escaped, contentType: 'application/json' };
      expect(() => refuse(asked('POST', path, raw))).toThrow(/gateway's own/);
    }
    expect(() => refuseRunnerMetadata(body.metadata)).toThrow(/gateway's own/);
    refuseRunnerMetadata({ owner: 'me' });
    refuseRunnerMetadata(undefined);
  });
});
