// A gateway against local mode for one section's measurement.
import { connect, type TestClient } from '../../support/clients.ts';
import { newKey, startTestGateway } from '../../support/gateway.ts';

export async function withClient<T>(work: (client: TestClient) => Promise<T>): Promise<T> {
  const gateway = await startTestGateway();
  const client = await connect(gateway.mcpUrl, newKey());
  try {
    return await work(client);
  } finally {
    await client.close();
    await gateway.close();
  }
}
