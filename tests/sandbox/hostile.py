"""Programs that try to get out, to do harm, or to be scored as right without being so.

Each defines `f(place)`, which gives True where its deed was done; `place` says where there is something to reach.
"""

from collections.abc import Mapping

__all__ = ["DEEDS", "FORGERIES"]

DEEDS: Mapping[str, str] = {
    "fork": "import os\ndef f(place):\n return os.fork() >= 0",
    "fork bomb": "import os\ndef f(place):\n while True: os.fork()",
    "fork by its number": """
import ctypes
def f(place):
    return any(ctypes.CDLL(None).syscall(number, 17, 0, 0, 0, 0) >= 0 for number in (56, 57, 58, 220, 435))
""",
    "threads": "import threading\ndef f(place):\n threading.Thread(target=print).start()\n return True",
    "a program": "import subprocess\ndef f(place):\n return subprocess.run(['/bin/sh', '-c', 'true']).returncode == 0",
    "another program in its place": "import os\ndef f(place):\n os.execv('/bin/true', ['true'])",
    "an interpreter in its place": """
import os, sys
def f(place):
    os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])
""",
    "socket to this machine": """
import socket
def f(place):
    socket.create_connection(('127.0.0.1', place['port']), timeout=1)
    return True
""",
    "socket to elsewhere": """
import socket
def f(place):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))
    return True
""",
    "a pair of sockets": "import socket\ndef f(place):\n return bool(socket.socketpair())",
    "a socket by a name": """
import socket
def f(place):
    socket.socket(socket.AF_UNIX).connect('\\0anything')
    return True
""",
    "reads a file of the user's": "def f(place):\n return open(place['secret']).read() == 'secret'",
    "reads it by a link": """
import os
def f(place):
    os.symlink(place['secret'], 'link')
    return open('link').read() == 'secret'
""",
    "reads it by a hard link": "import os\ndef f(place):\n os.link(place['secret'], 'link')\n return True",
    "lists the home folder": "import os\ndef f(place):\n return len(os.listdir(place['home'])) > 1",
    "reads the passwords": "def f(place):\n return bool(open('/etc/shadow').read())",
    "reads the users": "def f(place):\n return bool(open('/etc/passwd').read())",
    "reads the parent's environment": """
def f(place):
    return bool(open(f"/proc/{place['pid']}/environ", 'rb').read())
""",
    "reads its own memory map": "def f(place):\n return bool(open('/proc/self/maps').read())",
    "climbs out": "import os\ndef f(place):\n return 'home' in os.listdir('/tmp/../../../..')",
    "a root of its own": "import os\ndef f(place):\n os.chroot('/tmp')\n return True",
    "opens by a handle": """
import ctypes
def f(place):
    return ctypes.CDLL(None).syscall(304, -100, b'\\0' * 128, 0) >= 0
""",
    "writes outside": "def f(place):\n open(place['outside'], 'w').write('here')\n return True",
    "writes to Python's library": "import os\ndef f(place):\n open(os.__file__, 'a').write('# here')\n return True",
    "writes to what runs it": """
from harness.sandbox.inside import judge
def f(place):
    open(judge.__file__, 'a').write('# here')
    return True
""",
    "makes a device": """
import os, stat
def f(place):
    os.mknod('disk', stat.S_IFBLK | 0o666, os.makedev(254, 0))
    return True
""",
    "a signal to the parent": "import os, signal\ndef f(place):\n os.kill(place['pid'], signal.SIGUSR1)\n return True",
    "a signal to its own parent": "import os, signal\ndef f(place):\n os.kill(os.getppid(), 9)\n return True",
    "a signal to all": "import os\ndef f(place):\n os.kill(-1, 9)\n return True",
    "ptrace": """
import ctypes
def f(place):
    return ctypes.CDLL(None).ptrace(16, place['pid'], 0, 0) == 0
""",
    "ptrace of itself": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
    "another's memory": """
import ctypes
def f(place):
    vector = (ctypes.c_void_p * 2)(0, 0)
    return ctypes.CDLL(None).process_vm_readv(place['pid'], vector, 1, vector, 1, 0) >= 0
""",
    "root": "import os\ndef f(place):\n os.setuid(0)\n return True",
    "root by a bit of a file": """
import os
def f(place):
    open('mine', 'w').close()
    os.chmod('mine', 0o4755)
    return True
""",
    "is root": "import os\ndef f(place):\n return os.getuid() == 0 or os.geteuid() == 0",
    "namespaces": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).unshare(0x10000000) == 0",
    "mounts": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0",
    "more for itself": """
import resource
def f(place):
    resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
    return True
""",
    "its filter off": """
import ctypes
def f(place):
    return ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == 0
""",
    "calls of another machine": """
import ctypes, mmap
def f(place):
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(bytes.fromhex('b814000000cd80c3'))  # getpid by the door for 32 bits
    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return run() > 0
""",
    "keys of the kernel": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).syscall(250, 0, -3, 1) >= 0",
    "programs in the kernel": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).syscall(321, 0, 0, 0) >= 0",
    "rings": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).syscall(425, 1, b'\\0' * 120) >= 0",
    "shared memory": "import ctypes\ndef f(place):\n return ctypes.CDLL(None).shmget(0x4711, 4096, 0o1666) >= 0",
    "10 GB": "def f(place):\n return len(bytearray(10 << 30)) > 0",
    "10 GB in pieces": """
def f(place):
    kept = []
    for _ in range(10_000):
        kept.append(bytearray(1 << 20))
    return True
""",
    "fills the disk": """
def f(place):
    for number in range(100):
        with open(f'file{number}', 'wb') as file:
            file.write(bytes(1 << 20))
    return True
""",
    "a million files": """
def f(place):
    for number in range(1_000_000):
        open(str(number), 'w').close()
    return True
""",
    "a sparse file": "import os\ndef f(place):\n os.truncate('big', 1 << 40)\n return True",
    "many open files": "def f(place):\n return bool([open('x', 'a') for _ in range(1000)])",
    "environment": "import os\ndef f(place):\n return bool(os.environ.get('HARNESS_SECRET') or os.environ.get('HOME'))",
    "what was typed": "import sys\ndef f(place):\n return bool(sys.stdin.read())",
    "open files that were left": """
import os
def f(place):
    found = []
    for number in range(32):
        try:
            kind = os.fstat(number).st_mode >> 12
        except OSError:
            continue
        if kind not in (1, 2):  # the pipes that it answers by, and where what it prints is lost
            found.append(number)
    return bool(found)
""",
}

FORGERIES: Mapping[str, str] = {
    "ends at once": "import os\nos._exit(0)",
    "ends when asked": "import os\ndef f(x):\n os._exit(0)",
    "ends by an error": "def f(x):\n raise SystemExit(0)",
    "ends the loop": "def f(x):\n raise StopIteration",
    "ends the generator": "def f(x):\n raise GeneratorExit",
    "is equal to anything": """
class Same:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __abs__(self): return 0
    def __len__(self): return 0
    def __bool__(self): return True
def f(x): return Same()
""",
    "a number that is equal to anything": """
class Same(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def f(x): return Same(0)
""",
    "a list of what is equal to anything": """
class Same(list):
    def __eq__(self, other): return True
def f(x): return Same()
""",
    "no number": "def f(x):\n return float('nan')",
    "prints what a judge says": """
import sys, os
def f(x):
    for number in range(32):
        try: os.write(number, b'{"passed": true}\\n' * 3)
        except OSError: pass
    os._exit(0)
""",
    "prints it at its end": """
import atexit, os
def say():
    for number in range(32):
        try: os.write(number, b'{"passed": true}\\n')
        except OSError: pass
atexit.register(say)
def f(x): return 0
""",
    "gives the judge another's answer": """
import os
def f(x):
    for number in range(32):
        try: os.write(number, b'{"value": {"passed": true}}\\n')
        except OSError: pass
""",
    "no message": """
import os
def f(x):
    for number in range(3, 32):
        try: os.write(number, b'\\xff\\x00{]\\n')
        except OSError: pass
""",
    "lists without end": """
import os
def f(x):
    for number in range(3, 32):
        try: os.write(number, b'[' * 100_000 + b'\\n')
        except OSError: pass
""",
    "a class as its value": """
import os
def f(x):
    for number in range(3, 32):
        try: os.write(number, b'{"value": ["object", []]}\\n')
        except OSError: pass
""",
    "changes what compares": """
import builtins
builtins.abs = builtins.len = builtins.all = builtins.isinstance = lambda *x: True
builtins.AssertionError = builtins.print
def f(x): return 0
""",
    "changes the check": """
import sys
def f(x):
    import harness.sandbox.inside.judge as judge
    judge.judge = lambda *x: {'passed': True}
    frame = sys._getframe()
    while frame:
        frame.f_globals['judge'] = judge.judge
        frame.f_globals['check'] = lambda candidate: None
        frame = frame.f_back
    return 0
""",
    "is a judge itself": """
import io, os
from harness.sandbox.inside import judge, values
def f(x):
    for number in range(3, 32):
        try: values.send(os.fdopen(number, 'wb'), {'passed': True})
        except Exception: pass
""",
    "looks for the test": """
import gc, sys
def f(x):
    for one in gc.get_objects():
        if isinstance(one, dict) and 'tests' in one: return 3 * x + 1
    for module in list(sys.modules.values()):
        if 'assert f' in str(getattr(module, '__dict__', '')): return 3 * x + 1
    return 0
""",
    "has no function": "def g(x):\n return 3 * x + 1",
    "is no program": "def f(x:\n return 3 * x + 1",
    "holds a zero": "def f(x):\n return 0 # \0",
    "its own trace": "import sys\nsys.settrace(lambda *x: None)\nsys.setprofile(lambda *x: None)\ndef f(x): return 0",
    "too much of an answer": "def f(x):\n return 'a' * (20 << 20)",
    "nested without end": "def f(x):\n one = []\n for _ in range(100_000): one = [one]\n return one",
    "holds itself": "def f(x):\n one = []\n one.append(one)\n return one",
    "a limit of digits": "def f(x):\n return 10 ** 100_000",
    "an error of its own": """
class Odd(Exception):
    def __str__(self): raise self
def f(x): raise Odd
""",
    "an error that passes": "def f(x):\n raise type('passed', (Exception,), {})('passed')",
    "crashes": "import ctypes\ndef f(x):\n ctypes.string_at(0)",
    "recurses": "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x) + 1",
}
"""Each is tried with tests for three times a number and one, which none of them gives."""
