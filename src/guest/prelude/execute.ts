// The prelude of execute_read and execute_write. Both use the same image, because the host decides what each may do.
import { API_METHOD } from '../absent.ts';
import { display } from './display.ts';
import { aliasIds, readsAliases } from './e2b/aliases.ts';
import { hint } from './e2b/calls.ts';
import { installSandbox } from './e2b/sandbox.ts';
import { guestHost, installGlobals } from './globals.ts';
import * as is from './intrinsics.ts';

installGlobals();
const request = (options: unknown) => {
  const response = guestHost.call('api.request', options);
  return readsAliases() ? is.promiseThen(response, aliasIds) : response;
};
const api = { request };
hint(api, 'method', [[API_METHOD, 'get post put patch delete fetch call send Request list find']]);
hint(api, 'property', [[API_METHOD, 'sandboxes sandbox templates volumes snapshots']]);
guestHost.define('api', is.freeze(api));
guestHost.define('display', display);
installSandbox(guestHost);
