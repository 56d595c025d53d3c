// Worker threads run the build, also when this file itself runs from the sources (as in tests).

export function workerUrl(name: string): URL {
  const here = new URL(import.meta.url);
  const folder = here.pathname.endsWith('.ts') ? here.href.replace('/src/local/', '/dist/local/') : here.href;
  return new URL(`./${name}`, folder);
}
