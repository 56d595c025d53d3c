# What every interpreter of local mode starts with: blocking calls to the host instead of sockets, threads and child
# processes, which WebAssembly has not.
import sys, os, time, json, base64

sys.executable = '/usr/local/bin/python3'
for _stream in (sys.stdout, sys.stderr):
    if _stream is not None:
        _stream.reconfigure(line_buffering=True)

_device = None

def host(op, **args):
    """Asks local mode, blocked until it answers. Raises OSError."""
    global _device
    if _device is None:
        _device = os.open('/dev/host', os.O_RDWR)
    os.write(_device, json.dumps({'op': op, 'args': args}, default=_encode).encode() + b'\n')
    parts = []
    while not parts or not parts[-1].endswith(b'\n'):
        parts.append(os.read(_device, 1 << 20))
    answer = json.loads(b''.join(parts), object_hook=_decode)
    if answer.get('error') == 'interrupted':
        for _ in range(100_000):  # The signal is seen within a few of these.
            pass
        raise KeyboardInterrupt
    if 'error' in answer:
        raise OSError(answer['message'])
    return answer['value']

def _encode(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {'base64': base64.b64encode(value).decode()}
    raise TypeError(type(value))

def _decode(value):
    return base64.b64decode(value['base64']) if set(value) == {'base64'} else value

def _sleep(seconds):
    if seconds < 0:
        raise ValueError('sleep length must be non-negative')
    sys.stdout.flush()
    host('sleep', ms=seconds * 1000)

time.sleep = _sleep

def _run(source, cwd=None, env=None, stdin=b''):
    sys.stdout.flush()
    return host('run', source=source, cwd=cwd or os.getcwd(), env=dict(os.environ if env is None else env), stdin=stdin)

def _system(command):
    ran = _run(command)
    sys.stdout.write(ran['stdout'].decode('utf-8', 'replace'))
    sys.stderr.write(ran['stderr'].decode('utf-8', 'replace'))
    return ran['exitCode'] << 8

os.system = _system
os.cpu_count = lambda: 2
os.getlogin = lambda: 'user'

def _patch_subprocess(module):
    import io, shlex

    class Popen:
        """Runs its program to the end when its outcome is first asked for."""
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
            self.pid, self.returncode = 4_000, None
            self._ran = None
            self.stdin = io.BytesIO() if stdin == module.PIPE else None
            self._given = stdin.read() if hasattr(stdin, 'read') else b''
            if self._text and self.stdin is not None:
                self.stdin = io.TextIOWrapper(self.stdin, self._encoding, write_through=True)

        def _finish(self, data=None):
            if self._ran is not None:
                return
            given = self._given
            if data is None and self.stdin is not None and not self.stdin.closed:
                raw = self.stdin.buffer if self._text else self.stdin
                data = raw.getvalue()
            if data is not None:
                given = data
            if isinstance(given, str):
                given = given.encode(self._encoding)
            ran = self._ran = _run(self._source, self._cwd, self._env, bytes(given))
            self.returncode = ran['exitCode']
            out, err = ran['stdout'], ran['stderr']
            if self._targets[1] == module.STDOUT:
                out, err = out + err, b''
            self._out = self._deliver(out, self._targets[0], sys.stdout)
            self._err = self._deliver(err, self._targets[1], sys.stderr)
            if self.returncode == 127 and not isinstance(self.args, str) and b'command not found' in err:
                raise FileNotFoundError(2, 'No such file or directory', self.args[0])

        def _deliver(self, data, target, stream):
            if target == module.PIPE:
                return data.decode(self._encoding, self._errors) if self._text else data
            if target is None:
                stream.write(data.decode('utf-8', 'replace'))
            elif hasattr(target, 'write'):
                target.write(data if 'b' in getattr(target, 'mode', '') else data.decode('utf-8', 'replace'))
                target.flush()
            return None

        def _reader(self, kind):
            self._finish()
            data = self._out if kind == 0 else self._err
            return None if data is None else (io.StringIO(data) if self._text else io.BytesIO(data))

        @property
        def stdout(self):
            if self._targets[0] != module.PIPE:
                return None
            self.__dict__.setdefault('_stdout', None)
            self._stdout = self._stdout or self._reader(0)
            return self._stdout

        @property
        def stderr(self):
            if self._targets[1] != module.PIPE:
                return None
            self.__dict__.setdefault('_stderr', None)
            self._stderr = self._stderr or self._reader(1)
            return self._stderr

        def communicate(self, input=None, timeout=None):
            self._finish(input)
            return self._out, self._err

        def wait(self, timeout=None):
            self._finish()
            return self.returncode

        poll = wait

        def kill(self):
            pass

        terminate = kill

        def send_signal(self, signal):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._finish()

    module.Popen = Popen

def _head(raw):
    head, _, body = raw.partition(b'\r\n\r\n')
    first, *lines = head.decode('latin-1').split('\r\n')
    return first, [line.split(': ', 1) if ': ' in line else line.split(':', 1) for line in lines if line], body

def _message(first, headers, body):
    lines = [first, *(f'{name}: {value}' for name, value in headers)]
    return '\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body

class _Exchange:
    """Looks like a socket to those who send one HTTP message and read one."""
    def __init__(self, incoming):
        self._incoming, self.sent = incoming, b''
    def sendall(self, data):
        self.sent += bytes(data)
    def makefile(self, mode, *_args, **_kwargs):
        import io
        return io.BytesIO(self._incoming(self) if callable(self._incoming) else self._incoming)
    def close(self): pass
    def shutdown(self, how): pass
    def settimeout(self, value): pass
    def setsockopt(self, *_): pass
    def getsockname(self): return ('127.0.0.1', 0)

def _patch_http_client(module):
    def connect(self):
        def fetch(exchange):
            first, headers, body = _head(exchange.sent)
            method, path, _ = first.split(' ', 2)
            url = f'http://{self.host}:{self.port}{path}' if path.startswith('/') else path
            answer = host('http', url=url, method=method, headers=headers, body=body)
            kept = [pair for pair in answer['headers'] if pair[0].lower() not in ('content-length', 'transfer-encoding')]
            kept.append(('Content-Length', len(answer['body'])))
            return _message(f"HTTP/1.1 {answer['status']} .", kept, answer['body'])
        self.sock = _Exchange(fetch)
    def refuse(self):
        raise OSError("local mode's sandboxes have no network; only http://localhost:PORT of the sandbox itself")
    module.HTTPConnection.connect = connect
    if hasattr(module, 'HTTPSConnection'):
        module.HTTPSConnection.connect = refuse

def _patch_socketserver(module):
    def init(self, server_address, RequestHandlerClass, bind_and_activate=True):
        module.BaseServer.__init__(self, server_address, RequestHandlerClass)
        self.socket, self._server = None, None
        if bind_and_activate:
            self.server_bind()
            self.server_activate()
    def bind(self):
        listening = host('listen', port=self.server_address[1])
        self._server = listening['server']
        self.server_address = (self.server_address[0], listening['port'])
    def serve_one(self):
        arrived = host('accept', server=self._server)
        request = arrived['request']
        raw = _message(f"{request['method']} {request['path']} HTTP/1.1", request['headers'], request['body'])
        exchange = _Exchange(raw)
        try:
            self.RequestHandlerClass(exchange, ('127.0.0.1', 0), self)
        except Exception:
            self.handle_error(exchange, ('127.0.0.1', 0))
        first, headers, body = _head(exchange.sent)
        status = first.split(' ')[1] if first.startswith('HTTP/') else '502'
        host('respond', id=arrived['id'], response={'status': int(status), 'headers': headers, 'body': body})
    def serve_forever(self, poll_interval=0.5):
        self._stopped = False
        while not self._stopped:
            serve_one(self)
            self.service_actions()
    def stop(self):
        self._stopped = True
    def close(self):
        if self._server is not None:
            host('unlisten', server=self._server)
    server = module.TCPServer
    server.__init__, server.server_bind, server.server_activate = init, bind, lambda self: None
    server.handle_request, server.serve_forever, server.shutdown, server.server_close = serve_one, serve_forever, stop, close
    server.fileno = lambda self: -1

def _patch_http_server(module):
    def server_bind(self):
        import socketserver
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = 'localhost', self.server_address[1]
    module.HTTPServer.server_bind = server_bind
    module._get_best_family = lambda *address: (None, tuple(address) if address[0] else ('0.0.0.0', address[1]))
    module.DualStackServer = module.ThreadingHTTPServer

def _patch_asyncio(module):
    class Nothing:
        def select(self, timeout=None):
            if timeout is None:
                raise RuntimeError('nothing is left that could wake this event loop')
            if timeout > 0:
                time.sleep(timeout)
            return []
        def close(self): pass
    class Loop(module.base_events.BaseEventLoop):
        def __init__(self):
            super().__init__()
            self._selector = Nothing()
        def _process_events(self, events): pass
        def _write_to_self(self): pass
        def run_in_executor(self, executor, func, *args):
            future = self.create_future()
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)
            return future
    policy = module.DefaultEventLoopPolicy
    policy._loop_factory = Loop

_patches = {
    'subprocess': _patch_subprocess,
    'http.client': _patch_http_client,
    'socketserver': _patch_socketserver,
    'http.server': _patch_http_server,
    'asyncio': _patch_asyncio,
}

class _Loader:
    def __init__(self, loader, patch):
        self._loader, self._patch = loader, patch
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        self._loader.exec_module(module)
        self._patch(module)
    def __getattr__(self, name):
        return getattr(self._loader, name)

class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _patches:
            return None
        from importlib._bootstrap_external import PathFinder
        spec = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _Loader(spec.loader, _patches[name])
        return spec

sys.meta_path.insert(0, _Finder)

# python3 -m http.server runs the module's source again as __main__: it needs the patched classes beside it.
if sys.orig_argv[1:3] == ['-m', 'http.server']:
    def _serve():
        import http.server
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument('-b', '--bind')
        parser.add_argument('-d', '--directory', default=os.getcwd())
        parser.add_argument('-p', '--protocol')
        parser.add_argument('port', nargs='?', type=int, default=8000)
        given = parser.parse_args(sys.orig_argv[3:])
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, directory=given.directory, **kwargs)
        try:
            server = http.server.HTTPServer((given.bind or '0.0.0.0', given.port), Handler)
        except OSError as error:
            sys.stderr.write(f'OSError: [Errno 98] {error}\n')
            return 1
        print(f'Serving HTTP on 0.0.0.0 port {given.port} (http://0.0.0.0:{given.port}/) ...', flush=True)
        server.serve_forever()
        return 0
    _code = _serve()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_code)
