// The manifests without a cluster: field names and types against Kubernetes' published types (the compiler refuses
// unknown fields), and what must agree between files. Not checked: patterns and defaults a real API server applies.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig, VARIABLES } from '../../src/config.ts';

const FOLDER = 'deploy/kubernetes';
type Manifest = { apiVersion: string; kind: string; metadata: { name: string }; [field: string]: unknown };
const read = (file: string) => parse(readFileSync(join(FOLDER, file), 'utf8'));

const kustomization = read('kustomization.yaml') as {
  resources: string[];
  configMapGenerator: { name: string; literals: string[] }[];
  [field: string]: unknown;
};
const manifests = Object.fromEntries(kustomization.resources.map(file => [file, read(file) as Manifest]));
const the = (kind: string) => {
  const found = Object.values(manifests).find(manifest => manifest.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found as Manifest & { spec: Record<string, never> };
};

/** `apps/v1` -> the module of kubernetes-types that has its kinds. */
const moduleOf = (apiVersion: string) => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `kubernetes-types/${group?.split('.')[0]}/${version}`;
};

it('every manifest has only fields that Kubernetes knows, with values of their types', () => {
  mkdirSync('node_modules/.cache', { recursive: true });
  const folder = mkdtempSync('node_modules/.cache/manifests-');
  try {
    for (const [file, manifest] of Object.entries(manifests)) {
      const type = `import('${moduleOf(manifest.apiVersion)}').${manifest.kind}`;
      writeFileSync(join(folder, `${file}.ts`), `export const manifest: ${type} = ${JSON.stringify(manifest)};\n`);
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, module: 'preserve', skipLibCheck: true, types: [] },
        include: ['*.ts'],
      }),
    );
    const { stdout, status } = spawnSync('node_modules/.bin/tsc', ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('a misspelt field fails the type check', () => {
  mkdirSync('node_modules/.cache', { recursive: true });
  const folder = mkdtempSync('node_modules/.cache/manifests-');
  try {
    writeFileSync(
      join(folder, 'wrong.ts'),
      `export const manifest: import('kubernetes-types/core/v1').Service = { apiVersion: 'v1', kind: 'Service', spec: { port: [] } };\n`,
    );
    const args = ['--strict', '--noEmit', '--module', 'preserve', '--ignoreConfig', join(folder, 'wrong.ts')];
    expect(spawnSync('node_modules/.bin/tsc', args, { encoding: 'utf8' }).stdout).toMatch(/'port' does not exist/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('kustomization.yaml uses only known fields', () => {
  const known = ['apiVersion', 'kind', 'namespace', 'labels', 'resources', 'configMapGenerator', 'images'];
  expect(Object.keys(kustomization).sort()).toEqual(known.sort());
});

describe('manifests and settings agree', () => {
  const deployment = the('Deployment').spec as unknown as {
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        containers: {
          ports: { name: string; containerPort: number }[];
          envFrom: ({ configMapRef?: { name: string } } & { secretRef?: { name: string } })[];
          lifecycle: { preStop: { exec: { command: string[] } } };
          resources: { requests: { memory: string }; limits: { memory: string } };
          securityContext: object;
        }[];
      };
    };
  };
  const container = deployment.template.spec.containers[0];
  const settings = [
    ...(kustomization.configMapGenerator[0]?.literals ?? []),
    ...Object.entries(the('Secret').stringData as Record<string, string>).map(pair => pair.join('=')),
  ].map(literal => literal.split(/=(.*)/s).slice(0, 2) as [string, string]);

  const megabytes = (quantity: string) =>
    (Number.parseFloat(quantity) * (quantity.endsWith('Gi') ? 2 ** 30 : 2 ** 20)) / 1e6;

  it('every selector matches the labels of the pods', () => {
    const labels = deployment.selector.matchLabels;
    expect(deployment.template.metadata.labels).toMatchObject(labels);
    expect(the('Service').spec.selector).toEqual(labels);
    expect(the('PodDisruptionBudget').spec.selector).toEqual({ matchLabels: labels });
    expect(the('NetworkPolicy').spec.podSelector).toEqual({ matchLabels: labels });
    expect(the('HorizontalPodAutoscaler').spec.scaleTargetRef).toMatchObject({
      kind: 'Deployment',
      name: the('Deployment').metadata.name,
    });
  });

  it('every setting is known and valid', () => {
    for (const [name] of settings) expect(Object.keys(VARIABLES)).toContain(name);
    expect(() => parseConfig({ HOST: '0.0.0.0', ...Object.fromEntries(settings) })).not.toThrow();
    expect(container?.envFrom.map(({ configMapRef, secretRef }) => (configMapRef ?? secretRef)?.name)).toEqual([
      kustomization.configMapGenerator[0]?.name,
      the('Secret').metadata.name,
    ]);
  });

  it('the grace period covers preStop, drain delay and drain timeout', () => {
    const { DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS } = parseConfig(Object.fromEntries(settings));
    const preStopMs = Number(/(\d+)\)$/.exec(container?.lifecycle.preStop.exec.command.at(-1) ?? '')?.[1]);
    const neededMs = preStopMs + DRAIN_DELAY_MS + DRAIN_TIMEOUT_MS;
    expect(deployment.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(neededMs);
  });

  it('requests the memory that docs/operations.md says a warm gateway holds', () => {
    const heldMb = Number(/A warm gateway holds \d+-(\d+) MB/.exec(readFileSync('docs/operations.md', 'utf8'))?.[1]);
    const { requests, limits } = container?.resources ?? expect.fail('no resources');
    expect(megabytes(requests.memory)).toBeGreaterThan(heldMb);
    expect(megabytes(limits.memory)).toBeGreaterThan(megabytes(requests.memory));
  });

  it('the container has no privileges and a read-only file system', () => {
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('the network policy allows only DNS and HTTPS out', () => {
    const { egress } = the('NetworkPolicy').spec as unknown as { egress: { ports: { port: number }[] }[] };
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([53, 53, 443]);
  });
});
