// Metadata documents of apps: which URLs are valid ids, from which addresses they are fetched, and what they may contain.
import { describe, expect, it } from 'vitest';
import { addressGroup, isPublicAddress } from '../../../src/http/auth/addresses.ts';
import { isDocumentUrl, readClientDocument } from '../../../src/http/auth/client-document.ts';

const ID = 'https://app.test.example.com/client.json';
const CALLBACK = 'https://app.test.example.com/callback';
const DOCUMENT = { client_id: ID, client_name: 'Good app', redirect_uris: [CALLBACK, 'http://localhost/cb'] };

describe('names', () => {
  it.each([
    'http://app.example.com/c',
    'https://app.example.com',
    'https://app.example.com/',
    'https://app.example.com:443/c',
    'https://app.example.com:8443/c',
    'https://user@app.example.com/c',
    'https://app.example.com/c#f',
    'https://app.example.com/a/../c',
    'https://app.example.com/a/%2e%2e/c',
    'https://app.example.com\\c',
    'https://APP.example.com/c',
    'https://127.0.0.1/c',
    'https://[::1]/c',
    'https://2130706433/c',
    'https://0x7f.1/c',
    'https://localhost/c',
    'https://intranet/c',
    'https://metadata.google.internal/c',
    'https://printer.local/c',
    'https://x.localhost/c',
    'https://gateway.example.com/c',
    `https://app.example.com/${'x'.repeat(1_100)}`,
    'javascript:alert(1)',
    'app',
  ])('%.60s is not a valid id', id => expect(isDocumentUrl(id, 'gateway.example.com')).toBe(false));
  it.each([ID, 'https://claude.ai/oauth/claude-code-client-metadata', 'https://app.example.com/c?v=1'])(
    '%s is one',
    id => expect(isDocumentUrl(id, 'gateway.example.com')).toBe(true),
  );
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.255.1.2',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    '',
    'localhost',
    '1.1.1',
    '0x7f.1',
  ])('%s is not connected to', address => expect(isPublicAddress(address)).toBe(false));
  it.each(['1.1.1.1', '160.79.104.10', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s may be',
    address => expect(isPublicAddress(address)).toBe(true),
  );
  it('limits count an IPv6 network as one address, and a mapped address as its IPv4 address', () => {
    expect(addressGroup('2a00:1450:4001:1:2:3:4:5')).toBe(addressGroup('2a00:1450:4001:1::9'));
    expect(addressGroup('2a00:1450:4001:1::')).not.toBe(addressGroup('2a00:1450:4001:2::'));
    expect(addressGroup('::ffff:1.2.3.4')).toBe(addressGroup('1.2.3.4'));
    expect(addressGroup('1.2.3.4')).not.toBe(addressGroup('1.2.3.5'));
  });
});

describe('contents', () => {
  const read = (change: object) => readClientDocument(JSON.stringify({ ...DOCUMENT, ...change }), ID);
  it('a valid document is accepted', () => {
    expect(read({ logo_uri: 'https://x/', unknown: [1] })).toEqual({
      name: 'Good app',
      callbacks: DOCUMENT.redirect_uris,
    });
  });
  it.each([
    ['has another id', { client_id: `${ID}/` }],
    ['has no name', { client_name: undefined }],
    ['has a name that is not text', { client_name: { toString: 'x' } }],
    ['has no callbacks', { redirect_uris: [] }],
    ['has only callbacks that are not plain URLs', { redirect_uris: ['https://a@b.example/', 'javascript:alert(1)'] }],
    [
      'has very many callbacks',
      { redirect_uris: Array.from({ length: 30 }, (_, i) => `https://app.test.example.com/${i}`) },
    ],
    ['contains a secret', { client_secret: 'x' }],
    ['requires a shared secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['requires signed authentication', { token_endpoint_auth_method: 'private_key_jwt' }],
  ])('a document that %s is refused', (_title, change) => expect(read(change)).toHaveProperty('fault'));
  it.each(['', 'null', '[]', '"x"', '{', '<html>'])('%j is refused', json =>
    expect(readClientDocument(json, ID)).toHaveProperty('fault'),
  );
});
