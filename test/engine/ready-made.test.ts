// Images that the build makes for the start: the bytes are the same on every machine, and a file belongs to its sources.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildImage } from '../../src/engine/quickjs/image.ts';
import { decode, encode, readImage } from '../../src/engine/quickjs/ready-made.ts';
import { loadQuickjsModule } from '../../src/engine/quickjs/vm.ts';
import { loadDescription } from '../../src/spec/load.ts';

const guest = (script: string) => readFileSync(`dist/guest/prelude/${script}.js`, 'utf8');
const platform = guest('url') + guest('intl');
const execute = { prelude: platform + guest('execute') };
const search = {
  prelude: platform + guest('search'),
  descriptionJson: JSON.stringify(await loadDescription('openapi/e2b.yaml')),
};

describe('images of the engine', () => {
  it.each([
    ['execute', execute],
    ['search', search],
  ])('the image of %s, built here, is byte for byte the file of the build', (_name, source) => {
    const image = buildImage(loadQuickjsModule(), source);
    const read = readImage(source);
    expect(read).toBeDefined();
    const digests = readdirSync('dist/engine/quickjs/images').map(file =>
      readFileSync(`dist/engine/quickjs/images/${file}`).equals(encode(image)),
    );
    expect(digests.filter(Boolean)).toHaveLength(1);
    expect(Buffer.from(decode(encode(image)).memory).equals(Buffer.from(image.memory))).toBe(true);
    expect({ ...read, memory: 0 }).toEqual({ ...image, memory: 0 });
  });

  it('for another description there is no file, so its image is built', () => {
    const { descriptionJson } = search;
    expect(readImage({ ...search, descriptionJson: descriptionJson.replace('sandbox', 'sandbax') })).toBeUndefined();
    expect(readImage({ prelude: search.prelude })).toBeUndefined();
  });
});
