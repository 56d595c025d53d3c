// Classes of requests and responses that already have Express's methods. Express sets the prototype of each request and
// response that it gets. V8 then keeps these objects, and all that they refer to, until a full garbage collection. Setting
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
