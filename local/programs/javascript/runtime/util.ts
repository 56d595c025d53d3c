// Node's util: the library's, with Node's own ways of showing values.
export * from 'util/';
export { format, inspect, stripVTControlCharacters } from './inspect.ts';
export const { TextDecoder, TextEncoder } = globalThis;
