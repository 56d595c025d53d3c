# Child processes: scripts of the sandbox's shell, which run beside the program and give their output at the end.
import io, os, shlex, signal, sys
from sitecustomize import host, ids

def _late(name):
    """A stream of the child's output: there once the child has ended."""
    def get(self):
        if self._child_created and self.__dict__[name] is not None:
            self._finish(None)
        return self.__dict__[name]
    def put(self, stream):
        self.__dict__[name] = stream
    return property(get, put)

def patch(module):
    module._can_fork_exec = True

    class Popen(module.Popen):
        stdout, stderr = _late('_stdout'), _late('_stderr')

        def _execute_child(self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags,
                           shell, *rest):
            self._handles = rest[:6]  # Of stdin, stdout and stderr: the end that is read, and the one that is written.
            self._source = args if isinstance(args, str) else shlex.join(os.fspath(arg) for arg in args)
            self._cwd, self._env, self._signal = cwd and os.fspath(cwd), env, 0
            self._child_created = True
            # What is written to its input has to be known when it starts.
            if self.stdin is None:
                self._start()

        def _start(self):
            if self.pid is not None:
                return
            if self.stdin is not None:
                self.stdin.close()
            # An empty pipe gives None here, never an end.
            data = b'' if self._handles[0] == -1 else open(self._handles[0], 'rb', closefd=False).read() or b''
            env = dict(os.environ if self._env is None else self._env)
            sys.stdout.flush()
            command = {'source': self._source, 'cwd': self._cwd or os.getcwd(), 'env': env, 'stdin': data}
            child = next(ids)
            host('start', id=child, op='run', args=command)
            self.pid = child

        def _finish(self, seconds):
            """Whether it has ended, after so many seconds at most."""
            self._start()
            if self.returncode is not None:
                return True
            sys.stdout.flush()
            timeout = None if seconds is None else max(0, seconds) * 1000
            ran = host('poll', timeoutMs=timeout, stdin=False, of=self.pid).get('value')
            if ran is None:
                return False
            self.returncode = -self._signal if self._signal and ran['exitCode'] in (137, 143) else ran['exitCode']
            out, err = ran['stdout'], ran['stderr']
            if self._handles[3] != -1 and self._handles[3] == self._handles[5]:
                out, err = out + err, b''
            self._deliver('_stdout', 1, self._handles[3], out)
            self._deliver('_stderr', 2, self._handles[5], err)
            self._close_pipe_fds(*self._handles)
            if self.returncode == 127 and not isinstance(self.args, str) and b'command not found' in ran['stderr']:
                raise FileNotFoundError(2, 'No such file or directory', self.args[0])
            return True

        def _deliver(self, name, inherited, handle, data):
            stream = self.__dict__[name]
            if stream is None:
                open(inherited if handle == -1 else handle, 'wb', closefd=False).write(data)
            elif self.text_mode:
                self.__dict__[name] = io.TextIOWrapper(io.BytesIO(data), stream.encoding, stream.errors)
            else:
                self.__dict__[name] = io.BytesIO(data)

        def _internal_poll(self, _deadstate=None):
            if _deadstate is None:  # Else it is being deleted.
                self._finish(0)
            return self.returncode

        def _wait(self, timeout):
            if not self._finish(timeout):
                raise module.TimeoutExpired(self.args, timeout)
            return self.returncode

        def communicate(self, input=None, timeout=None):
            if self.stdin is not None and not self.stdin.closed:
                self._stdin_write(input)
            self.wait(timeout)
            return tuple(stream and stream.read() for stream in (self.stdout, self.stderr))

        def send_signal(self, number):
            if self.poll() is None:
                self._signal = int(number)
                host('signal', id=self.pid, name='SIGTERM' if number == signal.SIGTERM else 'SIGKILL')

    module.Popen = Popen
