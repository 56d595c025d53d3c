// Classes of requests and responses that have Express's methods from the start. Express sets the prototype of each request
// and response. On Node 20, V8 then keeps such an object, and all that it refers to, until a full garbage collection. To set
// the prototype that an object already has changes nothing.
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** For one server. `classes` are options of `createServer`. Call `useIn` before the server gets requests. */
export function expressMessages() {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse extends ServerResponse<ExpressRequest> {}
  return {
    classes: { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse },
    useIn(app: Express): void {
      // Both of Express's objects inherit from Node's prototypes.
      Object.setPrototypeOf(ExpressRequest.prototype, app.request);
      Object.setPrototypeOf(ExpressResponse.prototype, app.response);
      app.request = ExpressRequest.prototype as typeof app.request;
      app.response = ExpressResponse.prototype as typeof app.response;
    },
  };
}
