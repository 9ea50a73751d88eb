# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapters wired to a loopback server, as a job would have them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast.clients.adapter import Adapter
from holdfast.clients.auth import auth_of
from holdfast.clients.contract import Handle, JobSpec, MediaRef, Snapshot
from holdfast.clients.descriptor import Descriptor, read_catalogue
from holdfast.clients.wire import Hosts, Wire
from holdfast.pipeline.context import Context

from .server import Loopback

built_in = cache(read_catalogue)


def model_of(service: str, model: str) -> Descriptor:
    """An entry of the built-in catalogue."""
    return built_in().models[f"{service}/{model}"]


def adapter_for(
    service: str, model: str, server: Loopback, spool: Path, *, keys: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None, base: str = "",
) -> Adapter:  # fmt: skip
    """The adapter of a model, speaking to ``server`` with its key; waits take no time."""
    catalogue = built_in()
    entry, known = catalogue.models[f"{service}/{model}"], catalogue.services[service]
    have = keys if keys is not None else dict.fromkeys(known.keys or ("KEY",), server.key)
    told = {**known.settings, **(settings or {})}
    wire = Wire(known.label, base or server.url, Hosts(), Context(), auth_of(entry, known, have, told),
                tuple(have.values()), sleep=lambda seconds: None)  # fmt: skip
    wire.wait = lambda seconds: None  # type: ignore[method-assign]
    server.at_end.callback(wire.close)
    module, _, name = entry.adapter.partition(":")
    made = getattr(import_module(f"holdfast.clients.{module}"), name)
    adapter: Adapter = made(wire, entry, spool, told)
    return adapter


def job_of(service: str, model: str, *inputs: MediaRef, prompt: str = "ink drawing", seed: int | None = None,
           own_id: str = "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f", **options: Any) -> JobSpec:  # fmt: skip
    """A job with sensible rest."""
    return JobSpec(service, model, inputs, prompt, seed, options, own_id)


def until_done(adapter: Adapter, handle: Handle, most: int = 20) -> Snapshot:
    """Polls until the state is terminal."""
    for _ in range(most):
        snapshot = adapter.poll(handle)
        if snapshot.state.terminal:
            return snapshot
    raise AssertionError(f"no end: {snapshot}")


def aged(handle: Handle, seconds: float) -> Handle:
    """The handle of a job that was made ``seconds`` earlier."""
    return replace(handle, created_at=handle.created_at - seconds)
