// Run by build.mjs: computes what every start would compute otherwise, from files that the package ships: the description
// in the form it is used in, and the images of the embedded engine. Part of the composition root.
import { fileURLToPath } from 'node:url';
import { makeImages } from './engine/quickjs/images.ts';
import { PACKAGE_ROOT } from './ground/built.ts';
import { E2B_PRODUCT } from './product.ts';
import { toGuestDescription } from './spec/guest.ts';
import { compileDescription } from './spec/load.ts';

const description = await compileDescription(fileURLToPath(new URL(E2B_PRODUCT.api.descriptionFile, PACKAGE_ROOT)));
makeImages(toGuestDescription(description));
