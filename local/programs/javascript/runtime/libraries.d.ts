// Node's pure modules as libraries for other JavaScript engines: they have the types of Node's own.
declare module 'events/' {
  export { EventEmitter, EventEmitter as default } from 'node:events';
}
declare module 'path-browserify' {
  export { default } from 'node:path';
}
declare module 'assert/' {
  export { default } from 'node:assert';
}
declare module 'assert/build/internal/util/comparisons.js' {
  export { isDeepStrictEqual } from 'node:util';
}
declare module 'util/' {
  export * from 'node:util';
}
declare module 'readable-stream' {
  export { default, Readable, Writable } from 'node:stream';
}
declare module 'string_decoder/' {
  export { default } from 'node:string_decoder';
}
declare module 'querystring-es3' {
  export { default } from 'node:querystring';
}
declare module 'event-target-shim' {
  export const Event: typeof globalThis.Event;
  export const EventTarget: typeof globalThis.EventTarget;
}
