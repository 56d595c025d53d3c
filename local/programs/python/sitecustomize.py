# What every interpreter of local mode starts with: blocking calls to the host instead of what WebAssembly has not. Child
# processes and the network are in files of their own, loaded with the modules they change.
import sys, os, time, json, base64, itertools
from types import SimpleNamespace

sys.executable = '/usr/local/bin/python3'
for _stream in (sys.stdout, sys.stderr):
    if _stream is not None:
        _stream.reconfigure(line_buffering=True)

_device = None
ids = itertools.count(1)  # Of what the host is asked to start or to open.

def host(op, /, **args):
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

_XATTR = 'user.e2b.'

def _attributes(path):
    path = os.path.realpath(os.fsdecode(path))
    return path, host('attributes', path=path)

def _setxattr(path, name, value, flags=0, *, follow_symlinks=True):
    path, known = _attributes(path)
    if not os.fsdecode(name).startswith(_XATTR):
        raise OSError(95, 'Operation not supported')
    host('setAttributes', path=path, attributes={**known, os.fsdecode(name)[len(_XATTR):]: bytes(value).decode()})

def _getxattr(path, name, *, follow_symlinks=True):
    value = _attributes(path)[1].get(os.fsdecode(name).removeprefix(_XATTR))
    if value is None:
        raise OSError(61, 'No data available')
    return value.encode()

os.setxattr, os.getxattr = _setxattr, _getxattr
os.listxattr = lambda path=None, *, follow_symlinks=True: [_XATTR + name for name in _attributes(path or '.')[1]]

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

def _later(file, patch):
    """Loaded with the module it patches."""
    return lambda module: getattr(__import__(file), patch)(module)

_patches = {
    'asyncio': _patch_asyncio,
    'subprocess': _later('local_subprocess', 'patch'),
    'socket': _later('local_network', 'patch_socket'),
    'http.client': _later('local_network', 'patch_http_client'),
    'socketserver': _later('local_network', 'patch_socketserver'),
}

class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _patches:
            return None
        from importlib._bootstrap_external import PathFinder
        spec = PathFinder.find_spec(name, path)
        loader = spec.loader
        def exec_module(module):
            loader.exec_module(module)
            _patches[name](module)
        spec.loader = SimpleNamespace(create_module=loader.create_module, exec_module=exec_module)
        return spec

sys.meta_path.insert(0, _Finder)
