// What the gateway wrote into the page about itself. It is data in the HTML, so that the page needs no route of its own.

export type Settings = {
  readonly title: string;
  readonly version: string;
  /** Under which clients reach the gateway; undefined: the address in the browser. */
  readonly publicUrl?: string;
  /** In local mode only. */
  readonly demoKey?: string;
  /** The OAuth front is on. */
  readonly signIn: boolean;
  /** API keys are accepted as bearer tokens. */
  readonly keys: boolean;
  readonly keyExample: string;
};

export const settings = JSON.parse(document.getElementById('settings')?.textContent ?? '{}') as Settings;

export const endpoint = `${(settings.publicUrl ?? location.origin).replace(/\/+$/, '')}/mcp`;

/** Others than this computer cannot reach it. */
export const isLoopback = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?\//.test(endpoint);
