# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks for the tests of the worker process."""

import time


def add(request, ctx):
    ctx.log(f"adding {request['a']} and {request['b']}")
    ctx.progress(1.0, "Adding")
    return {"sum": request["a"] + request["b"]}


def refuse(request, ctx):
    from ...pipeline.errors import InputError

    raise InputError("No sketch", where="a.png", todo="Add one.")


def divide(request, ctx):
    return {"value": 1 / 0}


def forever(request, ctx):
    while True:
        ctx.progress(0.5, "Waiting")
        ctx.cancel.check()
        time.sleep(0.01)


def deaf(request, ctx):
    ctx.progress(0.5, "Not listening")
    time.sleep(60)
    return {}


def reach(request, ctx):
    import socket

    with socket.socket() as other:
        other.connect((request["host"], 443))
    return {}
