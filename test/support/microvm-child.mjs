// A process with the microVM engine and two active runs, for a test to kill. Arguments: engine's URL, cloud's URL, key.
const [engineUrl, url, runnerApiKey] = process.argv.slice(2);
const { connect, createE2bEngine } = await import(engineUrl);
const engine = createE2bEngine({
  ...{ descriptionJson: '{"operations":[]}', runnerApiKey },
  connection: connect({ apiUrl: url, sandboxUrl: url, domain: 'e2b.localhost' }),
  ...{ startTimeoutMs: 20_000, graceMs: 10_000 },
});
const limits = {
  ...{ wallMs: 60_000, cpuMs: 5_000, memoryBytes: 64 << 20, maxResultChars: 1_000, maxLogChars: 100 },
  ...{ maxCallChars: 1_000, maxPendingCalls: 10, maxDisplayBytes: 10 },
};
let calls = 0;
const callHost = () => {
  calls += 1;
  if (calls === 2) console.log('running');
  return new Promise(() => undefined);
};
const source = 'async () => api.request({})';
const principal = { id: 'test', apiKey: '' };
for (let i = 0; i < 2; i++)
  void engine.run({ source, surface: 'write', callHost, limits, signal: new AbortController().signal, principal });
