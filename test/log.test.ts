// The logger's second line of defence: what no code should hand it, it hides.
import { expect, it } from 'vitest';
import { expectNoKeys, KEY_FORM, memoryLog, newKey } from './support/gateway.ts';

it.each([
  ['in the message', (key: string) => ({ fields: {}, message: `called with ${key}` })],
  [
    'in a field of its name',
    (key: string) => ({ fields: { apiKey: key, request: { authorization: `Bearer ${key}` } }, message: 'x' }),
  ],
  [
    'in an error and its cause',
    (key: string) => ({ fields: { err: new Error(`bad ${key}`, { cause: new Error(key) }) }, message: 'x' }),
  ],
  [
    'behind other letters, as in an encoded URL',
    (key: string) => ({ fields: { url: `?a=Bearer%20${key}` }, message: 'x' }),
  ],
  ['as an access token', (key: string) => ({ fields: { url: `https://h/?t=sk_${key}` }, message: 'x' })],
])('hides a key %s', (_title, entry) => {
  const { log, lines } = memoryLog();
  const { fields, message } = entry(newKey());
  log.error(fields, message);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(KEY_FORM);
  expect(lines[0]).toContain('[redacted]');
});

it('the check that every test gateway ends with would notice a key, masked or not', () => {
  const { log, lines } = memoryLog();
  log.info('all is well');
  expectNoKeys(lines);
  log.info({ apiKey: newKey() }, 'leak');
  expect(() => expectNoKeys(lines)).toThrow();
  expect(() => expectNoKeys([newKey()])).toThrow();
});
