// Builds the file that every run uploads: the runner, the prelude and (for search) the description, packed once per tool.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { builtFile } from '../../ground/built.ts';
import { IMPORT_MESSAGE } from '../protocol.ts';
import type { Pack, RunnerJob } from './runner/job.ts';

const built = (path: string): string => readFileSync(builtFile(path), 'utf8');

/** A Pack as JSON text. */
export type PackedRunner = { readonly json: string };

const packed = (text: string): string => gzipSync(text).toString('base64');

export function packRunner(prelude: 'execute' | 'search', descriptionJson?: string): PackedRunner {
  const pack: Pack = {
    runner: built('engine/microvm/runner/main.js'),
    watch: built('engine/microvm/runner/watch.js'),
    ground: built('engine/microvm/runner/ground.js'),
    prelude: built(`guest/prelude/${prelude}.js`),
    late: { newer: packed(built('engine/microvm/runner/newer.js')), url: packed(built('guest/prelude/url.js')) },
    importMessage: IMPORT_MESSAGE,
    ...(descriptionJson === undefined ? {} : { description: packed(descriptionJson) }),
  };
  return { json: JSON.stringify(pack) };
}

/** The bytes of a RunFile. The pack is kept as text, because it is the same for thousands of runs. */
export function runFile({ json }: PackedRunner, job: RunnerJob): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(`{"job":${JSON.stringify(job)},"pack":${json}}`, 'utf8'));
}
