// The entry of the page.
import { render } from 'preact';
import { App } from './app.tsx';
import { checkCredential } from './mcp.ts';
import { finishSignIn } from './session/sign-in.ts';

void finishSignIn(checkCredential);
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
