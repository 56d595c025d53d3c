// What a sandbox may ask for that local mode takes and does not do: a sentence for each. Pure.
import type { NewSandbox } from './schemas.ts';

type Asked = Partial<Pick<NewSandbox, 'network' | 'mcp' | 'iam'>>;

export function unsupported({ network, mcp, iam }: Asked): string[] {
  const outside = 'sandboxes of local mode reach nothing but their own ports';
  const sentences: [asked: boolean, sentence: string][] = [
    [(network?.allowOut?.length ?? 0) > 0, `network.allowOut opens nothing: ${outside}`],
    [Object.keys(network?.rules ?? {}).length > 0, `network.rules change no request: ${outside}`],
    [network?.egressProxy != null, `network.egressProxy is not used: ${outside}`],
    [(network?.httpsPorts?.length ?? 0) > 0, 'network.httpsPorts has no effect: ports are served over plain HTTP'],
    [mcp != null, 'mcp starts no servers in local mode'],
    [iam != null, 'iam gives no identity in local mode'],
  ];
  return sentences.filter(([asked]) => asked).map(([, sentence]) => sentence);
}
