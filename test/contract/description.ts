import type { Description } from '../../src/spec/description.ts';

/** The description for search in the contract suite. */
export const DESCRIPTION = JSON.stringify({
  title: 'Test',
  version: '1',
  operations: [
    {
      id: 'POST /sandboxes',
      method: 'POST',
      path: '/sandboxes',
      summary: 'Start a sandbox',
      keywords: ['launch'],
      deprecated: false,
      parameters: [],
      answers: { 201: {} },
    },
    {
      id: 'GET /sandboxes',
      method: 'GET',
      path: '/sandboxes',
      summary: 'List sandboxes',
      keywords: [],
      deprecated: false,
      parameters: [],
      answers: { 200: {} },
    },
  ],
  capabilities: [],
  synonyms: {},
} satisfies Description);
