// The SDK's client for the API. A separate file, because importing it loads the SDK.
import type { SdkOptions } from './connection.ts';
import { ApiClient, ConnectionConfig } from './sdk.ts';

/** For calls that the SDK has no method for. */
export const apiOf = (options: SdkOptions) => new ApiClient(new ConnectionConfig(options)).api;
