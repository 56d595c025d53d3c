// The prelude of search: indexes the API description once, when the image is built. It has no capabilities.
import type { Description } from '../../spec/description.ts';
import { createSearch } from '../../spec/search.ts';
import { guestHost, installGlobals } from './globals.ts';

const image = globalThis as { __description?: string };
const description = JSON.parse(image.__description ?? '{}') as Description;
delete image.__description;

installGlobals();
const { spec, find, describe } = createSearch(description);
guestHost.define('spec', spec);
guestHost.define('find', find);
guestHost.define('describe', describe);
