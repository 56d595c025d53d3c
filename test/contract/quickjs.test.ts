import { createQuickjsEngine } from '../../src/engine/quickjs/engine.ts';
import { DESCRIPTION } from './description.ts';
import { describeEngine } from './suite.ts';

describeEngine('quickjs', () => createQuickjsEngine({ descriptionJson: DESCRIPTION, warm: false }));
