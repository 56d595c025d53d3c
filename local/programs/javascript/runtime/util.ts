// Node's util: the library's, with Node's own ways of showing values.
export { format, inspect, stripVTControlCharacters } from 'runtime:inspect';
export * from 'util/';
export const { TextDecoder, TextEncoder } = globalThis;
