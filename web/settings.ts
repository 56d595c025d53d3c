// The settings that the gateway writes into the HTML as data, so that the page needs no route for them.

export type Settings = {
  readonly title: string;
  readonly version: string;
  /** URL at which clients reach the gateway. Undefined: the address in the browser. */
  readonly publicUrl?: string;
  /** Set in local mode only. */
  readonly demoKey?: string;
  /** Whether sign-in by OAuth is on. */
  readonly signIn: boolean;
  /** Whether API keys are accepted as bearer tokens. */
  readonly keys: boolean;
  readonly keyExample: string;
};

export const settings = JSON.parse(document.getElementById('settings')?.textContent ?? '{}') as Settings;

export const endpoint = `${(settings.publicUrl ?? location.origin).replace(/\/+$/, '')}/mcp`;

/** True if only this computer can reach the gateway. */
export const isLoopback = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?\//.test(endpoint);
