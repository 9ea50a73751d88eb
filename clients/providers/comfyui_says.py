# SPDX-License-Identifier: GPL-3.0-or-later
"""What ComfyUI says went wrong, in plain words with the titles that the person gave the nodes."""

from collections.abc import Mapping
from typing import Any

from ..contract import Failure, FailureKind

ACCOUNT = "Type it (HOLDFAST_COMFY_ORG_KEY); it goes to a server on this computer or over https alone"
SHOWN = 3
"""Complaints that are told; one wrong node brings many."""


def of_prompt(table: Mapping[str, Any], titles: Mapping[str, str]) -> Failure:
    """Of a 400 to /prompt: {error{type,message,details,extra_info}, node_errors{id:{errors[],class_type}}}."""
    told = table.get("error")
    error: Mapping[str, Any] = told if isinstance(told, Mapping) else {"message": str(told or "")}
    words = " ".join(str(error.get(key) or "") for key in ("type", "message"))
    if "missing_node_type" in words or "does not exist" in words:
        return Failure(
            FailureKind.UNSUPPORTED,
            f"lacks a node of this workflow: {_one_line(error)}. Install it there (ComfyUI Manager), then send again",
        )
    complaints = list(_complaints(table.get("node_errors"), titles))
    media = any("Invalid image file" in each or "Invalid video file" in each for each in complaints)
    kind = FailureKind.MEDIA_REJECTED if media else FailureKind.INVALID_REQUEST
    if complaints:
        more = f" (and {len(complaints) - SHOWN} more)" if len(complaints) > SHOWN else ""
        return Failure(kind, f"can't run the workflow: {'; '.join(complaints[:SHOWN])}{more}")
    return Failure(kind, f"can't run the workflow: {_one_line(error)}")


def of_skipped(node_errors: Any, titles: Mapping[str, str]) -> str:
    """What of a workflow is not run although it was accepted; "" if all is."""
    return "; ".join(list(_complaints(node_errors, titles))[:SHOWN])


def of_execution(status: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[bool, Failure]:
    """(a person stopped it, why) of a history entry whose status is an error."""
    told: dict[str, Mapping[str, Any]] = {}
    for each in status.get("messages") or []:
        if isinstance(each, list) and len(each) == 2 and isinstance(each[1], Mapping):
            told[str(each[0])] = each[1]
    if "execution_interrupted" in told:
        return True, Failure(FailureKind.PROVIDER_INTERNAL, "stopped it")
    error = told.get("execution_error", {})
    number = str(error.get("node_id") or "")
    node = titles.get(number) or str(error.get("node_type") or "a node")
    message = str(error.get("exception_message") or "").strip()
    kind = str(error.get("exception_type") or "")
    if "OutOfMemory" in kind or "out of memory" in message.lower():
        says = f"ran out of graphics memory in {node!r}. Try a smaller size or fewer frames"
        return False, Failure(FailureKind.PROVIDER_INTERNAL, says)
    if "unauthorized" in message.lower() and "login" in message.lower():
        says = f"needs the key of a Comfy account for {node!r}, a partner node. {ACCOUNT}"
        return False, Failure(FailureKind.AUTH, says)
    says = (
        f"failed in {node!r}"
        + (f" (node {number})" if number else "")
        + f": {message or kind or 'no reason given'}"
    )
    return False, Failure(FailureKind.PROVIDER_INTERNAL, says)


def _complaints(node_errors: Any, titles: Mapping[str, str]) -> list[str]:
    found = []
    for number, node in (node_errors if isinstance(node_errors, Mapping) else {}).items():
        errors = node.get("errors") if isinstance(node, Mapping) else None
        for error in errors if isinstance(errors, list) else []:
            if isinstance(error, Mapping):
                name = titles.get(str(number)) or str(node.get("class_type") or "node")
                found.append(f"{name!r} (node {number}): {_plain(error)}")
    return found


def _plain(error: Mapping[str, Any]) -> str:
    info = error.get("extra_info")
    info = info if isinstance(info, Mapping) else {}
    field, got = str(info.get("input_name") or ""), info.get("received_value")
    kind = str(error.get("type") or "")
    if kind == "value_not_in_list" and field:
        return f"the server has no {got!r} for {field}"
    if kind == "required_input_missing":
        return f"{field or error.get('details')} is not connected or empty"
    if kind in ("value_smaller_than_min", "value_bigger_than_max") and field:
        return f"{field} can't be {got!r}"
    return _one_line(error)


def _one_line(error: Mapping[str, Any]) -> str:
    parts = [str(error.get(key) or "").strip() for key in ("message", "details")]
    return ": ".join(part.rstrip(".") for part in parts if part) or str(
        error.get("type") or "no reason given"
    )
