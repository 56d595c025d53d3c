// The one part of undici that every start needs; its index would load all of it.
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
