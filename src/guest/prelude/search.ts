// The guest of search: the description, indexed once when the image is made. No capabilities; `call` is never defined.
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
