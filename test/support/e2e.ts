// For end-to-end tests: one gateway per file, and for each test a client with a new key, so that
// tests do not see each other's sandboxes.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { connect, type TestClient } from './clients.ts';
import { newKey, startTestGateway, type TestGateway } from './gateway.ts';

/** Registers the hooks; both parts exist while a test runs. */
export function useGateway(options: Parameters<typeof startTestGateway>[0] = {}): {
  readonly gateway: TestGateway;
  readonly client: TestClient;
} {
  const parts = {} as { gateway: TestGateway; client: TestClient };
  beforeAll(async () => {
    parts.gateway = await startTestGateway(options);
  });
  afterAll(() => parts.gateway.close());
  beforeEach(async () => {
    parts.client = await connect(parts.gateway.mcpUrl, newKey());
    return () => parts.client.close();
  });
  return parts;
}
