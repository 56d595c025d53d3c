// The bodies the control plane reads. Unknown fields are ignored, as E2B does; wrong ones are a 400.
import { z } from 'zod';

const int32 = z.int32('value must be an integer');
const seconds = int32.min(0, 'number must be at least 0');
const strings = z.record(z.string(), z.string());

const egress = {
  allowOut: z.array(z.string()).optional(),
  denyOut: z.array(z.string()).optional(),
  egressProxy: z
    .object({
      address: z.string(),
      username: z.string().max(255).optional(),
      password: z.string().max(255).optional(),
    })
    .nullish(),
  rules: z
    .record(z.string(), z.array(z.object({ transform: z.object({ headers: strings.optional() }).optional() })))
    .optional(),
};

const network = z.object({
  ...egress,
  allowPublicTraffic: z.boolean().optional(),
  maskRequestHost: z.string().optional(),
  httpsPorts: z.array(int32).optional(),
});

export const networkUpdate = z.object({ ...egress, allow_internet_access: z.boolean().optional() });

const newSandboxFields = {
  templateID: z.string().min(1),
  timeout: seconds.optional(),
  autoPause: z.boolean().default(false),
  autoPauseMemory: z.boolean().default(true),
  autoResume: z.object({ enabled: z.boolean().default(false) }).optional(),
  allow_internet_access: z.boolean().optional(),
  network: network.optional(),
  metadata: strings.optional(),
  envVars: strings.optional(),
  mcp: z.record(z.string(), z.unknown()).nullish(),
  iam: z.unknown().optional(),
  volumeMounts: z.array(z.object({ name: z.string(), path: z.string() })).default([]),
};

export const newSandbox = z.object({ ...newSandboxFields, secure: z.boolean().default(false) });
/** v2 sandboxes are always secured. */
export const newSandboxV2 = z.object(newSandboxFields).transform(body => ({ ...body, secure: true }));
export type NewSandbox = z.output<typeof newSandbox>;
export type NetworkBody = z.output<typeof network>;

export const connectSandbox = z.object({ timeout: seconds, memory: z.boolean().default(true) });
/** And of connecting, in v2. */
export const resumeSandbox = z.object({ timeout: seconds.optional(), memory: z.boolean().default(true) });
export const pauseSandbox = z.object({ memory: z.boolean().default(true) });
export const setTimeoutBody = z.object({ timeout: seconds });
export const refreshBody = z.object({ duration: seconds.max(3600, 'number must be at most 3600').optional() });
export const forkBody = z.object({ timeout: seconds.optional(), count: int32.min(1).max(100).default(1) });
export const snapshotBody = z.object({ name: z.string().optional() });

export const newVolume = z.object({ name: z.string().regex(/^[a-zA-Z0-9_-]+$/) });

const sizes = {
  cpuCount: int32.min(1).optional(),
  memoryMB: int32.min(128).optional(),
};
export const newTemplate = z.object({
  ...sizes,
  name: z.string().max(128).optional(),
  alias: z.string().max(128).optional(),
  tags: z.array(z.string()).default([]),
});
export const startBuild = z.object({
  fromImage: z.string().optional(),
  fromTemplate: z.string().optional(),
  steps: z
    .array(z.object({ type: z.string(), args: z.array(z.string()).default([]), filesHash: z.string().optional() }))
    .default([]),
  startCmd: z.string().optional(),
  readyCmd: z.string().optional(),
});
export const updateTemplate = z.object({ public: z.boolean().optional() });
export const assignTags = z.object({ target: z.string().min(1), tags: z.array(z.string().min(1)).min(1) });
export const deleteTags = z.object({ name: z.string().min(1), tags: z.array(z.string().min(1)).min(1) });
