# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker tasks that end badly with a key in their hands."""

import os
import sys
import threading


def _key():
    from ...pipeline import secret

    return next(iter(secret.held().values()))


def abort(request, ctx):
    """The interpreter itself dies; its handler of faults writes where every thread was."""
    key = _key()
    assert key
    os.abort()


def overflow(request, ctx):
    def deeper(key):
        return deeper(key + "x")

    return deeper(_key())


def in_a_thread(request, ctx):
    def fail(key):
        raise ValueError(f"what is {key}?")

    thread = threading.Thread(target=fail, args=(_key(),))
    thread.start()
    thread.join()
    return {}


def chained(request, ctx):
    try:
        try:
            raise KeyError(_key())
        except KeyError as error:
            raise ValueError(f"no {_key()}") from error
    except ValueError:
        raise OSError(f"not even {_key()}")  # noqa: B904  its context is what is tested


def unraisable(request, ctx):
    class Careless:
        def __del__(self):
            raise ValueError(f"what is {_key()}?")

    Careless()
    return {}


def by_hand(request, ctx):
    print(f"using {_key()}")
    print(f"using {_key()}", file=sys.stderr)
    return {}
