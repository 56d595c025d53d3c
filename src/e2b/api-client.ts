// The SDK's client of the API itself. A file of its own: whoever imports it loads the SDK.
import type { SdkOptions } from './connection.ts';
import { ApiClient, ConnectionConfig } from './sdk.ts';

/** For the few calls the SDK has no method for. */
export const apiOf = (options: SdkOptions) => new ApiClient(new ConnectionConfig(options)).api;
