#!/usr/bin/env node
// The first file of the process: turns on Node's compile cache, where Node has one, before anything large is loaded.
// The cache is in dist/, so that only those who may change the program can change the code that is run from the cache.
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

type CompileCache = { enableCompileCache?: (folder: string) => unknown };

(nodeModule as CompileCache).enableCompileCache?.(fileURLToPath(new URL('.compile-cache', import.meta.url)));
await import('./main.ts');
