// Images as files in dist/, made by the build and read at the start instead of being built then. The name of a file is a
// digest of everything that its image is made of, so a file that is found is always the right one.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtFile } from '../../ground/built.ts';
import type { Image, ImageSource } from './image.ts';
import { readWasm } from './vm.ts';

type Header = Omit<Image, 'memory'> & {
  readonly memoryBytes: number;
  /** The bytes of the slack that are not zero, with their offsets: a few headers of the allocator. */
  readonly slack: readonly (readonly [offset: number, byte: number])[];
};

export function readImage(source: ImageSource): Image | undefined {
  const file = fileOf(source);
  return existsSync(file) ? decode(readFileSync(file)) : undefined;
}

/** Called by the build. */
export function writeImage(source: ImageSource, image: Image): void {
  const file = fileOf(source);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, encode(image));
}

function fileOf({ prelude, descriptionJson = '' }: ImageSource): URL {
  const digest = createHash('sha256').update(readWasm());
  for (const text of [prelude, descriptionJson]) digest.update(`\0${text.length}\0${text}`);
  return builtFile(`engine/quickjs/images/${digest.digest('hex').slice(0, 32)}.image`);
}

/** A line of JSON, then the state. The stack before it and nearly all of the slack after it are zero and left out. */
export function encode({ memory, ...rest }: Image): Buffer {
  const slack: [number, number][] = [];
  for (let at = rest.coreBytes; at < memory.length; at++) {
    const byte = memory[at] ?? 0;
    if (byte !== 0) slack.push([at, byte]);
  }
  const header: Header = { ...rest, memoryBytes: memory.length, slack };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), memory.subarray(rest.stackBytes, rest.coreBytes)]);
}

export function decode(bytes: Buffer): Image {
  const end = bytes.indexOf('\n');
  const { memoryBytes, slack, ...rest }: Header = JSON.parse(bytes.toString('utf8', 0, end));
  const memory = new Uint8Array(new SharedArrayBuffer(memoryBytes));
  memory.set(bytes.subarray(end + 1), rest.stackBytes);
  for (const [offset, byte] of slack) memory[offset] = byte;
  return { memory, ...rest };
}
