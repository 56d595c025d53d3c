// The order of test files: slow ones first, so that none of them runs alone at the end. Vitest orders by
// the times of earlier runs; in a fresh clone there are none, and it uses the size of the files.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const SLOW = [
  'contract/quickjs',
  'e2e/sandbox',
  'operate/stdio',
  'engine/load',
  'guest/acceptor',
  'broker/e2b-runs',
  'e2e/approvals',
  'e2e/uploads',
  'local/data-contexts',
  'local/data-programs',
  'local/node-modules',
].map(name => `/test/${name}.test.ts`);
const isSlow = ({ moduleId }: TestSpecification) => SLOW.some(end => moduleId.endsWith(end));

export class SlowFirst extends BaseSequencer {
  /** Sorts within each project, because projects run one after the other. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = new Map<string, TestSpecification[]>();
    for (const file of await super.sort(files)) {
      const ofProject = byProject.get(file.project.name) ?? [];
      byProject.set(file.project.name, [...ofProject, file]);
    }
    return [...byProject.values()].flatMap(all => [...all.filter(isSlow), ...all.filter(file => !isSlow(file))]);
  }
}
