// Two HTTP hops without a sandbox: an Express route that reads a JSON body, calls the API and responds.
import express from 'express';
import { Pool } from 'undici';

const pool = new Pool(process.env.E2B_API_URL ?? '');
const app = express().disable('x-powered-by').disable('etag');

app.post('/mcp', express.json(), async (request, response) => {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: '/v2/sandboxes',
    headers: { 'x-api-key': request.get('authorization')?.slice('Bearer '.length) ?? '' },
  });
  const data = await body.json();
  response.json({ status: statusCode, data });
});
app.listen(Number(process.env.PORT), '127.0.0.1');
