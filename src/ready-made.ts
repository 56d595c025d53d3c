// Run by build.mjs. Precomputes from the package's files what each start would otherwise compute: the prepared API
// description and the memory images of the embedded engine. Part of the composition root.
import { fileURLToPath } from 'node:url';
import { makeImages } from './engine/quickjs/images.ts';
import { PACKAGE_ROOT } from './ground/built.ts';
import { E2B_PRODUCT } from './product.ts';
import { compileDescription } from './spec/load.ts';

const description = await compileDescription(fileURLToPath(new URL(E2B_PRODUCT.api.descriptionFile, PACKAGE_ROOT)));
makeImages(JSON.stringify(description));
