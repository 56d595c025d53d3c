# Sockets that carry one HTTP message each way, over the sandbox's own ports: there is no other network.
import io
from sitecustomize import host, ids

def _parse(message):
    head, _, body = message.partition(b'\r\n\r\n')
    first, *lines = head.decode('latin-1').split('\r\n')
    return first, [[part.strip() for part in line.split(':', 1)] for line in lines if ':' in line], body

def _message(first, headers, body):
    kept = [pair for pair in headers if pair[0].lower() not in ('content-length', 'transfer-encoding')]
    lines = [first, *(f'{name}: {value}' for name, value in [*kept, ('Content-Length', len(body))])]
    return io.BytesIO('\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body)

class Socket:
    def __init__(self, *_args, **_kwargs):
        self._address = ('0.0.0.0', 0)
        self._peer = self._server = self._request = None
        self._sent, self._incoming = b'', io.BytesIO()
    def bind(self, address):
        server = next(ids)
        try:
            self._address = address[0], host('listen', id=server, port=address[1])
        except OSError as error:
            raise OSError(98, str(error)) from None
        self._server = server
    def accept(self):
        arrived = host('poll', timeoutMs=None, stdin=False, of=self._server)
        request, client = arrived['request'], Socket()
        client._request = arrived['id']
        client._incoming = _message(f"{request['method']} {request['path']} HTTP/1.1", request['headers'], request['body'])
        return client, ('127.0.0.1', 0)
    def connect(self, address):
        raise ConnectionRefusedError(111, "local mode's sandboxes have no network but HTTP")
    def sendall(self, data):
        self._sent += bytes(data)
    def send(self, data):
        self.sendall(data)
        return len(data)
    def recv(self, size):
        return self.makefile().read(size)
    def makefile(self, *_args, **_kwargs):
        if self._peer is not None and self._sent:
            self._incoming = self._exchange()
        return self._incoming
    def _exchange(self):
        first, headers, body = _parse(self._sent)
        self._sent = b''
        method, path, _ = first.split(' ', 2)
        url = 'http://{}:{}{}'.format(*self._peer, path) if path.startswith('/') else path
        answer = host('http', url=url, method=method, headers=headers, body=body)
        return _message(f"HTTP/1.1 {answer['status']} .", answer['headers'], answer['body'])
    def close(self):
        if self._request is not None:
            first, headers, body = _parse(self._sent)
            status = first.split(' ')[1] if first.startswith('HTTP/') else '502'
            host('respond', id=self._request, response={'status': int(status), 'headers': headers, 'body': body})
        elif self._server is not None:
            host('unlisten', id=self._server)
        self._request = self._server = None
    def getsockname(self):
        return self._address
    def fileno(self):
        return -1
    def _nothing(self, *_args): pass
    setsockopt = setblocking = settimeout = gettimeout = listen = shutdown = _nothing
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.close()

def patch_socket(module):
    module.socket = Socket

def patch_http_client(module):
    def connect(self):
        self.sock = Socket()
        self.sock._peer = self.host, self.port
    module.HTTPConnection.connect = connect

class _Ready:
    """A selector of one socket, which waits when it is read."""
    def __enter__(self):
        return self
    def __exit__(self, *_): pass
    def register(self, *_): pass
    def select(self, timeout=None):
        return [self]

def patch_socketserver(module):
    def shutdown(self):
        self._BaseServer__shutdown_request = True
    module._ServerSelector = _Ready
    module.BaseServer.shutdown = shutdown
    module.ThreadingMixIn.process_request = module.BaseServer.process_request
