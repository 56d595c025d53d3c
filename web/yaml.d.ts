// build.mjs turns these files into data.
declare module '*.yaml' {
  const value: unknown;
  export default value;
}
