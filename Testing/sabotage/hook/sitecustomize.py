"""What Python imports first where this folder is on PYTHONPATH. SABOTAGE holds the plan as JSON:

kill: [event, word]: end by SIGKILL at the first audit event of that name with ``word`` in an argument; with
    several, divided by *, all in one argument.
remove: [event, word, folder]: remove ``folder`` at that moment.
shut: file. Connections, names looked up, other programs and pickles are noted in it, and raise. Every file
    that is opened for writing is noted, too.
jump: true. Every look at the time of day finds the clock set to another year.
grow: bytes that a file may grow to.
"""

import itertools
import json
import os
import resource
import shutil
import signal
import sys
import time

SHUT = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "subprocess.", "os.system", "os.exec",
        "os.posix_spawn", "os.fork", "pickle.")  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
plan = json.loads(os.environ.get("SABOTAGE", "{}"))


def meets(event, arguments, when):
    words = when[1].split("*")
    return event == when[0] and any(all(word in str(item) for word in words) for item in arguments)


def note(line):
    file = os.open(plan["shut"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def hook(event, arguments):
    if "kill" in plan and meets(event, arguments, plan["kill"]):
        os.kill(os.getpid(), signal.SIGKILL)
    if "remove" in plan and meets(event, arguments, plan["remove"][:2]):
        shutil.rmtree(plan.pop("remove")[2])
    if "shut" in plan:
        if event.startswith(SHUT):
            note(event)
            raise RuntimeError(f"{event} is not allowed")
        if event == "open" and arguments[2] & WRITING and str(arguments[0]) != plan["shut"]:
            note(f"write {arguments[0]}")


if plan:
    sys.addaudithook(hook)
if "grow" in plan:
    resource.setrlimit(resource.RLIMIT_FSIZE, (plan["grow"], plan["grow"]))
if plan.get("jump"):
    years = itertools.cycle([0, 40, -30, 11])
    today = time.time
    time.time = lambda: today() + next(years) * 365.25 * 86400
    time.time_ns = lambda: int(time.time() * 1e9)
