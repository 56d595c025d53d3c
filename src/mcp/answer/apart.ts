// Gives the large blocks of a result to the transport, which writes them into the response itself, see http/apart.ts.
import type { Base64 } from '../../ground/base64.ts';
import type { ContentBlock, Formatted } from './format.ts';

/** Stores a block's base64 and returns the text for it in the result: a placeholder, or the base64 itself. */
export type SetApart = (base64: Base64) => string;

export const withBlocksApart = ({ content, isError }: Formatted, setApart: SetApart): Formatted<string> => ({
  content: content.map(block => apart(block, setApart)),
  isError,
});

function apart(block: ContentBlock, setApart: SetApart): ContentBlock<string> {
  if (block.type === 'image') return { ...block, data: setApart(block.data) };
  if (block.type === 'resource')
    return { ...block, resource: { ...block.resource, blob: setApart(block.resource.blob) } };
  return block;
}
