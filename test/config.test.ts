import express from 'express';
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

  it('takes proxies by number, address, subnet or name, and nothing else', () => {
    const given = (text: string) => parseConfig({ TRUST_PROXY: text }).TRUST_PROXY;
    expect(given('2')).toBe(2);
    for (const text of ['10.0.0.1', '10.0.0.0/8', 'fd00::/8', 'loopback, 192.168.0.0/255.255.0.0']) {
      expect(given(text)).toEqual(text.split(', '));
      expect(() => express().set('trust proxy', given(text))).not.toThrow();
    }
    for (const text of ['yes', 'true', '10.0.0.0/33', '10.0.0.0/0', 'loopback, proxy.example'])
      expect(() => given(text), text).toThrow(/TRUST_PROXY=.*how many proxies/);
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
