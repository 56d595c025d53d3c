// What every run of a surface uploads: runner, prelude and (for search) the description, packed once.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { IMPORT_MESSAGE } from '../../guest/prelude/absent.ts';
import type { Pack } from './runner/job.ts';

/** The built files, also when this one is run from src/ (tests). */
function built(path: string): string {
  const here = import.meta.url;
  const root = here.endsWith('.ts') ? '../../../dist/' : '../../';
  return readFileSync(new URL(root + path, here), 'utf8');
}

export type PackedRunner = { readonly bytes: Uint8Array<ArrayBuffer> };

export function packRunner(prelude: 'execute' | 'search', descriptionJson?: string): PackedRunner {
  const pack: Pack = {
    runner: built('engine/e2b/runner/main.js'),
    watch: built('engine/e2b/runner/watch.js'),
    ground: built('engine/e2b/runner/ground.js'),
    prelude: built(`guest/prelude/${prelude}.js`),
    importMessage: IMPORT_MESSAGE,
    ...(descriptionJson === undefined ? {} : { descriptionJson }),
  };
  return { bytes: new Uint8Array(gzipSync(JSON.stringify(pack))) };
}
