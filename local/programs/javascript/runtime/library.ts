// Node's pure modules that few programs use, in a file of their own, loaded when first asked for. Libraries kept for
// bundlers: what they share with the runtime (Buffer, events, process, inspect) they get from it.
import '../../../../src/guest/prelude/url.ts';
import assert from 'assert/';
import { isDeepStrictEqual } from 'assert/build/internal/util/comparisons.js';
import path from 'path-browserify';
import querystring from 'querystring-es3';
import stream from 'readable-stream';
import stringDecoder from 'string_decoder/';
import { http } from './http.ts';
import * as util from './util.ts';

/** The library's loose comparison does not take NaN for equal; what is strictly equal is loosely so. */
const { deepEqual, notDeepEqual } = assert;
Object.assign(assert, {
  deepEqual(a: unknown, b: unknown, message?: string): void {
    if (!isDeepStrictEqual(a, b)) deepEqual(a, b, message);
  },
  notDeepEqual(a: unknown, b: unknown, message?: string): void {
    assert.notDeepStrictEqual(a, b, message);
    notDeepEqual(a, b, message);
  },
});

const url = {
  URL,
  URLSearchParams,
  fileURLToPath: (given: unknown) => decodeURIComponent(new URL(String(given)).pathname),
  pathToFileURL: (file: string) => new URL(`file://${encodeURI(path.resolve(file))}`),
};

const parse = (...args: Parameters<typeof querystring.parse>) =>
  Object.assign(Object.create(null), querystring.parse(...args));

export const modules = {
  assert,
  'assert/strict': assert.strict,
  http,
  querystring: { ...querystring, parse, decode: parse, escape: encodeURIComponent, unescape: decodeURIComponent },
  stream,
  'stream/promises': stream.promises,
  string_decoder: stringDecoder,
  url,
  util: { ...util, isDeepStrictEqual },
};
