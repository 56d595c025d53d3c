// Requests and responses have Express's prototypes before Express gets them, so it does not change them.
import { createServer } from 'node:http';
import express from 'express';
import request from 'supertest';
import { expect, it } from 'vitest';
import { expressMessages } from '../../src/http/express-messages.ts';

it('Express finds its own prototypes on every request and response, with its methods', async () => {
  const messages = expressMessages();
  const app = express().disable('x-powered-by');
  messages.useIn(app);
  const seen: (object | null)[] = [];
  app.get('/', (req, res) => {
    seen.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
    res.status(201).json({ isOwnApp: req.app === app, type: req.get('accept') });
  });
  const server = createServer(messages.classes, (req, res) => {
    seen.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
    app(req, res);
  });
  const answer = await request(server).get('/').set('Accept', 'text/x');
  expect([answer.status, answer.body]).toEqual([201, { isOwnApp: true, type: 'text/x' }]);
  const [requestBefore, responseBefore, ...inExpress] = seen;
  expect(requestBefore).toBe(inExpress[0]);
  expect(responseBefore).toBe(inExpress[1]);
});

it('two servers in one process have their own apps', async () => {
  const serve = (name: string) => {
    const messages = expressMessages();
    const app = express().set('name', name);
    messages.useIn(app);
    app.get('/', (req, res) => void res.send(req.app.get('name') as string));
    return createServer(messages.classes, app);
  };
  const [one, other] = [serve('one'), serve('other')];
  expect((await request(one).get('/')).text).toBe('one');
  expect((await request(other).get('/')).text).toBe('other');
});
