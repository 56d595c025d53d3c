// `Sandbox` of the agent's code. A stand-in until the data plane has its own: any use says so.
import type { GuestHost } from './globals.ts';

export function installSandbox(host: GuestHost): void {
  const refuse = () => {
    throw host.error('capability_unknown', 'Sandbox is not available here yet: use api.request({ method, path }).');
  };
  host.define('Sandbox', new Proxy(function Sandbox() {}, { get: refuse, construct: refuse, apply: refuse }));
}
