// Passes a request on to a server on loopback that belongs to a sandbox. The caller checks access and that the port is the
// sandbox's.
import { request } from 'node:http';
import type { PortHandler } from '../../../local/machine/machine.ts';

/** Headers from the gateway to local mode, which programs in the sandbox must not see. */
const OWN_HEADERS = ['e2b-sandbox-id', 'e2b-sandbox-port', 'e2b-traffic-access-token', 'x-access-token'];

export function proxyTo(host: string, port: number): PortHandler {
  return (req, res, path) => {
    const headers = { ...req.headers };
    for (const name of OWN_HEADERS) delete headers[name];
    // No agent: a connection that is kept would outlive the server.
    const onward = request({ host, port, method: req.method, path, headers, agent: false });
    onward.on('response', answer => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    onward.on('error', () => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502, { 'content-type': 'text/plain' }).end('The server in the sandbox broke off.');
    });
    res.once('close', () => onward.destroy());
    req.pipe(onward);
  };
}
