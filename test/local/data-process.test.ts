// The data plane over real processes, seen through the unmodified SDK.
import { commandTests } from './support/data-commands.ts';

commandTests('process');

import { fileTests } from './support/data-files.ts';

fileTests('process');
