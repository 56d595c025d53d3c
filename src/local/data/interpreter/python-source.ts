// The Python side of local mode's Python: what every interpreter starts with (SITE: blocking calls to the host instead of
// sockets, threads and child processes, which WebAssembly has not) and the loop of a code context (KERNEL).

export const SITE = String.raw`
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
`;

export const KERNEL = String.raw`
import sys, os, ast, json, types, builtins, traceback, linecache, base64, inspect
from sitecustomize import host, _system

MIMES = {
    'text/plain': 'text', 'text/html': 'html', 'text/markdown': 'markdown', 'image/svg+xml': 'svg', 'image/png': 'png',
    'image/jpeg': 'jpeg', 'application/pdf': 'pdf', 'text/latex': 'latex', 'application/json': 'json',
    'application/javascript': 'javascript', 'e2b/chart': 'chart', 'e2b/data': 'data',
}
METHODS = {
    '_repr_html_': 'html', '_repr_markdown_': 'markdown', '_repr_svg_': 'svg', '_repr_png_': 'png',
    '_repr_jpeg_': 'jpeg', '_repr_pdf_': 'pdf', '_repr_latex_': 'latex', '_repr_json_': 'json',
    '_repr_javascript_': 'javascript', '_repr_chart_': 'chart', '_repr_data_': 'data',
}

def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value

def bundle(value):
    """What a value looks like, in each format it knows; IPython's protocol."""
    shown = {}
    if inspect.isclass(value):
        return {'text': repr(value)}
    whole = getattr(value, '_repr_mimebundle_', None)
    if callable(whole):
        data = whole()
        for mime, content in (data[0] if isinstance(data, tuple) else data).items():
            shown[MIMES.get(mime, mime)] = plain(content)
    for method, key in METHODS.items():
        make = getattr(value, method, None)
        if key in shown or not callable(make):
            continue
        content = make()
        if content is not None:
            shown[key] = plain(content[0] if isinstance(content, tuple) else content)
    shown.setdefault('text', repr(value))
    return shown

def emit(shown, main):
    sys.stdout.flush()
    shown = json.loads(json.dumps(shown, default=str))
    host('event', type='result', is_main_result=main, **shown)

def display(*values, raw=False, **_ignored):
    for value in values:
        if raw and isinstance(value, dict):
            emit({MIMES.get(mime, mime): plain(content) for mime, content in value.items()}, False)
        else:
            emit(bundle(value), False)

def shower(mime):
    class Shown:
        def __init__(self, data=None, url=None, filename=None, format=None, **_ignored):
            if filename is None and mime.startswith('image/') and isinstance(data, str) and os.path.exists(data):
                filename = data
            if filename is not None:
                with open(filename, 'rb') as file:
                    data = file.read()
            self.data, self.url = data, url
        def _repr_mimebundle_(self, include=None, exclude=None):
            kind, data = mime, self.data
            if kind == 'image/png' and bytes(data[:2] if isinstance(data, (bytes, bytearray)) else b'') == b'\xff\xd8':
                kind = 'image/jpeg'
            if isinstance(data, (bytes, bytearray)) and not kind.startswith('image/p') and kind != 'image/jpeg':
                data = data.decode()
            return {kind: data}
        def __repr__(self):
            return f'<IPython.core.display.{type(self).__name__} object>'
    return Shown

def named(name, mime):
    made = shower(mime)
    made.__name__ = made.__qualname__ = name
    return made

class Shell:
    """The little of IPython's shell that notebooks call."""
    def system(self, command):
        _system(command)
    def run_line_magic(self, name, line):
        return magic(name, line)

shell = Shell()
ipython, shown_in = types.ModuleType('IPython'), types.ModuleType('IPython.display')
shown_in.display = display
shown_in.clear_output = lambda *_, **__: None
for name, mime in {'HTML': 'text/html', 'Markdown': 'text/markdown', 'SVG': 'image/svg+xml', 'Image': 'image/png',
                   'JSON': 'application/json', 'Latex': 'text/latex', 'Math': 'text/latex',
                   'Javascript': 'application/javascript'}.items():
    setattr(shown_in, name, named(name, mime))
ipython.display, ipython.get_ipython, ipython.__path__ = shown_in, lambda: shell, []
sys.modules['IPython'], sys.modules['IPython.display'] = ipython, shown_in

main = types.ModuleType('__main__')
sys.modules['__main__'] = main
space = main.__dict__
space.update(__builtins__=builtins, display=display, get_ipython=lambda: shell)
sys.argv = ['']
sys.path.insert(0, '')

def magic(name, line):
    if name in ('pip', 'conda'):
        _system(f'{name} {line}')
    elif name == 'cd':
        os.chdir(os.path.expanduser(line.strip() or '~'))
    elif name == 'env' and '=' in line:
        key, value = line.split('=', 1)
        os.environ[key.strip()] = value
    elif name == 'pwd':
        return os.getcwd()
    elif name not in ('matplotlib', 'load_ext', 'autoreload', 'config'):
        raise NameError(f'local mode has no %{name}')

def translated(code):
    """Shell lines and magics as Python."""
    if code.lstrip().startswith(('%%bash', '%%sh')):
        return f'get_ipython().system({code.lstrip().partition(chr(10))[2]!r})'
    try:
        ast.parse(code)
        return code
    except SyntaxError:
        pass
    lines = []
    for line in code.split('\n'):
        text = line.lstrip()
        indent = line[:len(line) - len(text)]
        if text.startswith('!'):
            line = f'{indent}get_ipython().system({text[1:]!r})'
        elif text.startswith('%') and text[1:2].isalpha():
            name, _, rest = text[1:].partition(' ')
            line = f'{indent}get_ipython().run_line_magic({name!r}, {rest!r})'
        lines.append(line)
    return '\n'.join(lines)

def run(code, name):
    code = translated(code)
    linecache.cache[name] = (len(code), None, [line + '\n' for line in code.split('\n')], name)
    tree = ast.parse(code, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    silent = code.rstrip().endswith(';')
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    settle(eval(compile(tree, name, 'exec', flags), space))
    if last is None:
        return
    value = settle(eval(compile(ast.Expression(last.value), name, 'eval', flags), space))
    if value is not None and not silent:
        space['_'] = value
        emit(bundle(value), True)

loop = None

def settle(value):
    global loop
    if not inspect.iscoroutine(value):
        return value
    import asyncio
    if loop is None:
        loop = asyncio.new_event_loop()
    return loop.run_until_complete(value)

def report(error):
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    sys.stdout.flush()
    sys.stderr.flush()
    host('event', type='error', name=type(error).__name__, value=str(error), traceback=''.join(lines))

count = 0
while True:
    cell = host('cell')
    if cell is None:
        break
    count += 1
    before = {key: os.environ.get(key) for key in cell['envs']}
    os.environ.update(cell['envs'])
    try:
        run(cell['code'], f'<cell {count}>')
    except BaseException as error:
        report(error)
    sys.stdout.flush()
    sys.stderr.flush()
    for key, value in before.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
    host('cellDone')
`;
