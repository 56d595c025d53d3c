# Child processes: scripts of the sandbox's shell, which run beside the program and give their output at the end.
import io, os, shlex, signal, sys
from sitecustomize import host

def patch_subprocess(module):
    class Popen:
        def __init__(self, args, bufsize=-1, executable=None, stdin=None, stdout=None, stderr=None, preexec_fn=None,
                     close_fds=True, shell=False, cwd=None, env=None, universal_newlines=None, startupinfo=None,
                     creationflags=0, restore_signals=True, start_new_session=False, pass_fds=(), *, text=None,
                     encoding=None, errors=None, **_ignored):
            self.args = args
            self._source = args if isinstance(args, str) else shlex.join(os.fspath(arg) for arg in args)
            self._cwd, self._env = cwd and os.fspath(cwd), env
            self._text = bool(text or universal_newlines or encoding or errors)
            self._encoding, self._errors = encoding or 'utf-8', errors or 'strict'
            self._targets = (stdout, stderr)
            self.pid, self.returncode = None, None
            self._signal = 0
            self._out = self._err = None
            self._stdout = self._stderr = None
            self.stdin = io.BytesIO() if stdin == module.PIPE else None
            if self._text and self.stdin is not None:
                self.stdin = io.TextIOWrapper(self.stdin, self._encoding, write_through=True)
            # What is written to its input has to be known when it starts.
            if self.stdin is None:
                self._start(stdin.read() if hasattr(stdin, 'read') else b'')

        def _start(self, data=None):
            if self.pid is not None:
                return
            if data is None and self.stdin is not None and not self.stdin.closed:
                data = (self.stdin.buffer if self._text else self.stdin).getvalue()
            if isinstance(data, str):
                data = data.encode(self._encoding)
            sys.stdout.flush()
            env = dict(os.environ if self._env is None else self._env)
            cwd = self._cwd or os.getcwd()
            self.pid = host('spawn', source=self._source, cwd=cwd, env=env, stdin=bytes(data or b''))['child']

        def _finish(self, seconds):
            """Whether it has ended, after so many seconds at most."""
            self._start()
            if self.returncode is not None:
                return True
            sys.stdout.flush()
            ran = host('wait', child=self.pid, timeoutMs=None if seconds is None else max(0, seconds) * 1000)
            if ran is None:
                return False
            self.returncode = -self._signal if self._signal and ran['exitCode'] in (137, 143) else ran['exitCode']
            out, err = ran['stdout'], ran['stderr']
            if self._targets[1] == module.STDOUT:
                out, err = out + err, b''
            self._out = self._deliver(out, self._targets[0], sys.stdout)
            self._err = self._deliver(err, self._targets[1], sys.stderr)
            if self.returncode == 127 and not isinstance(self.args, str) and b'command not found' in err:
                raise FileNotFoundError(2, 'No such file or directory', self.args[0])
            return True

        def _deliver(self, data, target, stream):
            if target == module.PIPE:
                return data.decode(self._encoding, self._errors) if self._text else data
            if target is None:
                stream.write(data.decode('utf-8', 'replace'))
            elif hasattr(target, 'write'):
                target.write(data if 'b' in getattr(target, 'mode', '') else data.decode('utf-8', 'replace'))
                target.flush()
            return None

        def _reader(self, data):
            return None if data is None else (io.StringIO(data) if self._text else io.BytesIO(data))

        @property
        def stdout(self):
            if self._targets[0] == module.PIPE and self._stdout is None and self._finish(None):
                self._stdout = self._reader(self._out)
            return self._stdout

        @property
        def stderr(self):
            if self._targets[1] == module.PIPE and self._stderr is None and self._finish(None):
                self._stderr = self._reader(self._err)
            return self._stderr

        def communicate(self, input=None, timeout=None):
            self._start(input)
            self.wait(timeout)
            return self._out, self._err

        def wait(self, timeout=None):
            if not self._finish(timeout):
                raise module.TimeoutExpired(self.args, timeout)
            return self.returncode

        def poll(self):
            self._finish(0)
            return self.returncode

        def send_signal(self, number):
            if self.poll() is None:
                self._signal = int(number)
                host('signal', child=self.pid, name='SIGTERM' if number == signal.SIGTERM else 'SIGKILL')

        def terminate(self):
            self.send_signal(signal.SIGTERM)

        def kill(self):
            self.send_signal(signal.SIGKILL)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._finish(None)

    module.Popen = Popen
