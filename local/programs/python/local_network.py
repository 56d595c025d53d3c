# HTTP over the sandbox's own ports, in place of sockets: client and server.
import os, sys
from sitecustomize import host

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

def patch_http_client(module):
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
        raise OSError("local mode's sandboxes have no network; only http://, to localhost:PORT of the sandbox itself and to the ports of others by getHost()")
    module.HTTPConnection.connect = connect
    if hasattr(module, 'HTTPSConnection'):
        module.HTTPSConnection.connect = refuse

def patch_socketserver(module):
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

def patch_http_server(module):
    def server_bind(self):
        import socketserver
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = 'localhost', self.server_address[1]
    module.HTTPServer.server_bind = server_bind
    module._get_best_family = lambda *address: (None, tuple(address) if address[0] else ('0.0.0.0', address[1]))
    module.DualStackServer = module.ThreadingHTTPServer

def serve(arguments):
    import http.server
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument('-b', '--bind')
    parser.add_argument('-d', '--directory', default=os.getcwd())
    parser.add_argument('-p', '--protocol')
    parser.add_argument('port', nargs='?', type=int, default=8000)
    given = parser.parse_args(arguments)
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
