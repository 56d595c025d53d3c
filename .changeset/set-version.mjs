// After `changeset version`: the new version of package.json, also where other files name it. Run by `pnpm release:version`.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
for (const [file, pattern] of [
  ['deploy/server.json', /("version": ")[^"]+/g],
  ['deploy/kubernetes/kustomization.yaml', /(newTag: ).+/g],
]) {
  writeFileSync(file, readFileSync(file, 'utf8').replace(pattern, `$1${version}`));
}
