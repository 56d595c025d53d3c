// The server's icons as data URLs, because not every client can fetch them from the gateway.
import { existsSync, readFileSync } from 'node:fs';
import { builtFile } from '../ground/built.ts';

export type Icon = { src: string; mimeType: string; sizes: string[] };

const FILES = [
  ['page/icon.svg', 'image/svg+xml', 'any'],
  ['page/icon.png', 'image/png', '64x64'],
] as const;

/** The SVG comes first. Empty if the build has no page. */
export function loadIcons(): Icon[] {
  return FILES.flatMap(([file, mimeType, size]) => {
    const path = builtFile(file);
    if (!existsSync(path)) return [];
    return [{ src: `data:${mimeType};base64,${readFileSync(path, 'base64')}`, mimeType, sizes: [size] }];
  });
}
