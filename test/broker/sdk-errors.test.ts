// The original of each message of the SDK, of E2B's API and of its proxy that src/e2b/sdk-errors.ts matches.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import {
  commandEndOf,
  connectionFailureOf,
  endedMeanwhile,
  isConcurrencyLimit,
  isNamedSandboxNotFound,
  isPortClosed,
  isSandboxMissing,
  readSdkError,
} from '../../src/e2b/sdk-errors.ts';

const require = createRequire(import.meta.url);
const sdk = createRequire(require.resolve('@e2b/code-interpreter'))('e2b') as typeof import('e2b');
const source = readFileSync(createRequire(require.resolve('@e2b/code-interpreter')).resolve('e2b'), 'utf8');

const SANDBOX_TIMEOUT =
  "This error is likely due to sandbox timeout. You can modify the sandbox timeout by passing 'timeoutMs' when starting the sandbox";
const COMMAND_TIMEOUT =
  "[deadline_exceeded] context deadline exceeded: This error is likely due to exceeding 'timeoutMs' — the total time a long running request (like command execution or directory watch) can be active.";
const REQUEST_TIMEOUT =
  "[canceled] This operation was aborted: This error is likely due to exceeding 'requestTimeoutMs'. You can pass the request timeout value as an option when making the request.";

describe('name and status of an error', () => {
  it.each([
    ['InvalidArgumentError', 400],
    ['AuthenticationError', 401],
    ['NotFoundError', 404],
    ['FileNotFoundError', 404],
    ['SandboxNotFoundError', 404],
    ['RateLimitError', 429],
    ['NotEnoughSpaceError', 507],
    ['SandboxError', undefined],
    ['TimeoutError', undefined],
    ['TemplateError', undefined],
  ] as const)('%s of the SDK has status %s', (name, status) => {
    expect(readSdkError(new sdk[name]('why'))).toEqual({ name, message: 'why', status });
  });

  it('the status of the response takes precedence', () => {
    const error = Object.assign(new sdk.SandboxError('500: why'), { statusCode: 500 });
    expect(readSdkError(error)).toMatchObject({ status: 500 });
  });

  it.each([new Error('why'), new TypeError('why'), { name: 'constructor' }, { name: 1 }, 'why', undefined])(
    '%s is not an error of the SDK',
    caught => {
      expect(readSdkError(caught)).toBeUndefined();
    },
  );
});

describe('a sandbox that does not exist', () => {
  it.each([
    ['SandboxNotFoundError', 'Paused sandbox i0abc not found'],
    ['SandboxNotFoundError', 'Sandbox i0abc not found'],
    ['NotFoundError', 'Sandbox is probably not running anymore'],
    ['SandboxError', '502: The sandbox was not found'],
    ['TimeoutError', `The sandbox was not found: ${SANDBOX_TIMEOUT}`],
  ])('%s: %s', (name, message) => expect(isSandboxMissing(name, message)).toBe(true));

  it.each([
    ['FileNotFoundError', "path '/tmp/x' does not exist"],
    ['NotFoundError', 'process with pid 7 not found'],
    ['TimeoutError', COMMAND_TIMEOUT],
  ])('not %s: %s', (name, message) => expect(isSandboxMissing(name, message)).toBe(false));

  it('is recognized by the name alone', () => {
    expect(isNamedSandboxNotFound(new sdk.SandboxNotFoundError('x'))).toBe(true);
    expect(isNamedSandboxNotFound(new sdk.FileNotFoundError('x'))).toBe(false);
    expect(isNamedSandboxNotFound(undefined)).toBe(false);
  });
});

describe('a sandbox that ended during a request', () => {
  it.each([
    `[unavailable] upstream connect error: ${SANDBOX_TIMEOUT}`,
    '[unknown] terminated',
    '[unknown] terminated: The sandbox was killed or reached its end of life while the request was in flight.',
    '2: [unknown] terminated',
    '[unavailable] the sandbox was stopped',
  ])('%s', message => expect(endedMeanwhile(message)).toBe(true));

  it.each([COMMAND_TIMEOUT, REQUEST_TIMEOUT, 'my program was terminated'])('not %s', message =>
    expect(endedMeanwhile(message)).toBe(false),
  );
});

describe('the end of a command', () => {
  it('a non-zero exit has its code and its error', () => {
    const exit = new sdk.CommandExitError({ exitCode: 137, error: 'signal: killed', stdout: '', stderr: '' });
    expect(commandEndOf(exit)).toEqual({ exitCode: 137, error: 'signal: killed' });
  });
  it('a deadline_exceeded means that it timed out', () => {
    expect(commandEndOf(new sdk.TimeoutError(COMMAND_TIMEOUT))).toBe('timed out');
  });
  it.each([
    new sdk.TimeoutError(REQUEST_TIMEOUT),
    new sdk.TimeoutError(SANDBOX_TIMEOUT),
    new sdk.SandboxError('deadline_exceeded'),
    undefined,
  ])('%s does not mean that it ended', caught => {
    expect(commandEndOf(caught)).toBeUndefined();
  });
});

it.each<[status: number, body: string, closed: boolean]>([
  [502, '{"sandboxId":"i0","message":"The sandbox is running but port is not open","port":4567,"code":502}', true],
  [502, '{"sandboxId":"i0","message":"The sandbox was not found","code":502}', false],
  [404, 'port is not open', false],
])('status %i with %s: port closed is %s', (status, body, closed) => {
  expect(isPortClosed(status, body)).toBe(closed);
});

it.each([
  ["you have reached the maximum number of concurrent E2B sandboxes (20). If you need more, please visit '…'", true],
  ['Rate limit exceeded, please try again later', false],
])('429 with "%s": concurrency limit is %s', (message, full) => {
  expect(isConcurrencyLimit(message)).toBe(full);
});

describe('a connection that failed', () => {
  it('has the code of the system error, also from the cause', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise(resolve => server.close(resolve));
    const failed = await fetch(`http://127.0.0.1:${port}`).catch((caught: unknown) => caught);
    expect(connectionFailureOf(failed)).toBe('ECONNREFUSED');
  });
  it('is recognized without a code', () => {
    expect(connectionFailureOf(new TypeError('fetch failed'))).toBe('no connection');
  });
  it.each([new TypeError('x is not a function'), Object.assign(new Error('x'), { code: 'lower' }), undefined])(
    '%s is another error',
    caught => expect(connectionFailureOf(caught)).toBeUndefined(),
  );
});

it.each([
  'Sandbox is probably not running anymore',
  'This error is likely due to sandbox timeout',
  'not found`',
  'DeadlineExceeded',
])('the installed SDK still has "%s"', text => {
  expect(source).toContain(text);
});
