// The data plane over virtual shells, seen through the unmodified SDK.
import { commandTests } from './support/data-commands.ts';

commandTests('virtual');

import { fileTests } from './support/data-files.ts';

fileTests('virtual');
