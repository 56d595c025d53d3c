import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, VARIABLES } from '../src/config.ts';

describe('parseConfig', () => {
  it('needs nothing', () => {
    expect(parseConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      apiUrl: 'https://api.e2b.app',
    });
    expect(parseConfig({}).ALLOWED_HOSTS).toBeUndefined();
  });

  it('is frozen', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
  });

  it('derives the API from the domain, unless it is given', () => {
    expect(parseConfig({ E2B_DOMAIN: 'e2b.example' }).apiUrl).toBe('https://api.e2b.example');
    expect(parseConfig({ E2B_DOMAIN: 'e2b.example', E2B_API_URL: 'http://127.0.0.1:9/' }).apiUrl).toBe(
      'http://127.0.0.1:9',
    );
  });

  it('reads lists and flags, and takes blanks for unset', () => {
    const config = parseConfig({ ALLOWED_HOSTS: ' a.example, b.example ,', MCP_DEBUG_ENDPOINT: 'false', PORT: ' ' });
    expect(config).toMatchObject({ ALLOWED_HOSTS: ['a.example', 'b.example'], MCP_DEBUG_ENDPOINT: false, PORT: 3000 });
  });

  it('names every wrong variable at once', () => {
    const wrong = { PORT: '99999', LOG_LEVEL: 'loud', E2B_API_URL: 'http://api.example', MAX_CALLS: 'many' };
    expect(() => parseConfig(wrong)).toThrow(ConfigError);
    for (const name of Object.keys(wrong)) expect(() => parseConfig(wrong)).toThrow(name);
  });

  it('does not show a value that may hold a password', () => {
    expect(() => parseConfig({ REDIS_URL: 'http://:secret@redis' })).toThrow(/REDIS_URL="\[hidden\]"/);
  });

  it('every fallback is valid', () => {
    for (const [name, { schema, fallback }] of Object.entries(VARIABLES)) {
      if (fallback !== '') expect(schema.safeParse(fallback).success, name).toBe(true);
    }
  });
});
