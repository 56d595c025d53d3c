// Which API URLs are accepted, and what of them is used.
import { describe, expect, test } from 'vitest';
import { readApiUrl } from '../../src/ground/origin.ts';

describe('the API URL', () => {
  test.each([
    ['https://api.e2b.app', 'https://api.e2b.app', ''],
    ['https://gate.example/e2b/v1/', 'https://gate.example', '/e2b/v1'],
    ['http://localhost:3001', 'http://localhost:3001', ''],
    ['http://[::1]:3001/x', 'http://[::1]:3001', '/x'],
  ])('%s', (apiUrl, origin, basePath) => {
    expect(readApiUrl(apiUrl)).toEqual({ origin, basePath });
  });
  test.each([
    'http://api.e2b.app',
    'ftp://localhost',
    'https://user:pw@api.e2b.app',
    'https://api.e2b.app/?a=b',
    'api.e2b.app',
    'http://127.0.0.1.evil.example',
  ])('%s is refused', apiUrl => {
    expect(() => readApiUrl(apiUrl)).toThrow();
  });
});
