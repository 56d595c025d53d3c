# The loop of a code context of local mode.
import sys, os, re, ast, json, types, builtins, traceback, linecache, base64, inspect
from sitecustomize import host, _run, _system

METHODS = {
    '_repr_html_': 'text/html', '_repr_markdown_': 'text/markdown', '_repr_svg_': 'image/svg+xml',
    '_repr_png_': 'image/png', '_repr_jpeg_': 'image/jpeg', '_repr_pdf_': 'application/pdf',
    '_repr_latex_': 'text/latex', '_repr_json_': 'application/json', '_repr_javascript_': 'application/javascript',
    '_repr_chart_': 'e2b/chart', '_repr_data_': 'e2b/data',
}

def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value

def bundle(value):
    """What a value looks like, in each format it knows; IPython's protocol."""
    shown = {}
    if inspect.isclass(value):
        return {'text/plain': repr(value)}
    whole = getattr(value, '_repr_mimebundle_', None)
    if callable(whole):
        data = whole()
        for mime, content in (data[0] if isinstance(data, tuple) else data).items():
            shown[mime] = plain(content)
    for method, mime in METHODS.items():
        make = getattr(value, method, None)
        if mime in shown or not callable(make):
            continue
        content = make()
        if content is not None:
            shown[mime] = plain(content[0] if isinstance(content, tuple) else content)
    if isinstance(value, (list, dict)) and 'application/json' not in shown:
        data = as_json(value)
        if data is not None:
            shown['application/json'] = data
    shown.setdefault('text/plain', repr(value))
    return shown

def as_json(value):
    """Lists and dicts as data, as E2B's template shows them (orjson); None when something in them is no data."""
    def other(item):
        import datetime, enum, uuid, dataclasses
        if isinstance(item, (datetime.datetime, datetime.date, datetime.time)):
            return item.isoformat()
        if isinstance(item, enum.Enum):
            return item.value
        if isinstance(item, uuid.UUID):
            return str(item)
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            return {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
        raise TypeError
    try:
        return json.loads(json.dumps(value, default=other), parse_constant=lambda _: None)
    except (TypeError, ValueError, RecursionError):
        return None

def emit(shown, main):
    sys.stdout.flush()
    host('event', type='result', is_main_result=main, **shown)

def display(*values, raw=False, **_ignored):
    for value in values:
        if raw and isinstance(value, dict):
            emit({mime: plain(content) for mime, content in value.items()}, False)
        else:
            emit(bundle(value), False)

class Shown:
    """Data of one format, from text, bytes or a file, as IPython.display has it."""
    mime = 'text/plain'
    def __init__(self, data=None, url=None, filename=None, format=None, **_ignored):
        is_image = self.mime.startswith('image/')
        if filename is None and is_image and isinstance(data, str) and os.path.exists(data):
            filename = data
        if filename is not None:
            with open(filename, 'rb') as file:
                data = file.read()
        if isinstance(data, (bytes, bytearray)):
            if data[:2] == b'\xff\xd8':
                self.mime = 'image/jpeg'
            elif self.mime != 'image/png':
                data = data.decode()
        self.data, self.url = data, url
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.mime: self.data}
    def __repr__(self):
        return f'<IPython.core.display.{type(self).__name__} object>'

# The little of IPython's shell that notebooks call.
shell = types.SimpleNamespace(
    system=_system, run_line_magic=lambda name, line: magic(name, line),
    getoutput=lambda command: _run(command)['stdout'].decode('utf-8', 'replace').splitlines())
ipython, shown_in = types.ModuleType('IPython'), types.ModuleType('IPython.display')
shown_in.display = display
shown_in.clear_output = lambda *_, **__: None
for name, mime in {'HTML': 'text/html', 'Markdown': 'text/markdown', 'SVG': 'image/svg+xml', 'Image': 'image/png',
                   'JSON': 'application/json', 'Latex': 'text/latex', 'Math': 'text/latex',
                   'Javascript': 'application/javascript'}.items():
    setattr(shown_in, name, type(name, (Shown,), {'mime': mime}))
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
        assigned = re.match(r'([\w.,\s]+=\s*)!(.*)', text)
        if text.startswith('!'):
            line = f'{indent}get_ipython().system({text[1:]!r})'
        elif assigned:
            line = f'{indent}{assigned[1]}get_ipython().getoutput({assigned[2]!r})'
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
