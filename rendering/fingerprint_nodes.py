# SPDX-License-Identifier: GPL-3.0-or-later
"""Node trees for a scene's fingerprint: what they compute, told the same way by Blender 4.2 to 5.2."""

import re
from collections.abc import Iterator
from typing import Any

import bpy

from .fingerprint_rules import NEW_SOCKETS, plain

TOLD_APART = ("nodes", "links", "interface")
_SET_BY_HAND = (
    "ShaderNodeValue",
    "ShaderNodeRGB",
    "ShaderNodeNormal",
    "CompositorNodeRGB",
    "CompositorNodeValue",
    "CompositorNodeNormal",
)
"""Nodes whose output is a setting."""
_INPUT = re.compile(r'nodes\["(?P<node>(?:[^"\\]|\\.)*)"\]\.inputs\[(?P<index>\d+)\]')
_MODIFIER = re.compile(r"\.properties\.inputs\.(\w+)\.value$")


def sockets(node: bpy.types.Node, path: str) -> Iterator[tuple[str, str, Any]]:
    """(identifier, RNA path, value) of the inputs that are read, and of outputs that are a setting.

    Inputs that a node has but can't use in its mode are gone in 5.2 from all but shader nodes; of shader nodes Blender
    itself says so only some time after a file was read.
    """
    ways: list[tuple[str, Any]] = [("inputs", node.inputs)]
    if node.bl_idname in _SET_BY_HAND:
        ways.append(("outputs", node.outputs))
    lean = not node.bl_idname.startswith("ShaderNode")
    for way, items in ways:
        for index, socket in enumerate(items):
            if not hasattr(socket, "default_value") or (lean and socket.is_unavailable):
                continue
            if way == "inputs" and socket.is_linked and not any(link.is_muted for link in socket.links):
                continue
            value = socket.default_value
            idle = NEW_SOCKETS.get(socket.identifier) or NEW_SOCKETS.get(
                f"{node.bl_idname}.{socket.identifier}", ()
            )
            if not any(_near(value, each) for each in idle):
                yield socket.identifier, f"{path}.{way}[{index}].default_value", value


def is_plain_lamp(struct: Any) -> bool:
    """Whether a light has the nodes that every light is given from 5.1 on, which change nothing."""
    tree = struct.node_tree if isinstance(struct, bpy.types.Light) else None
    if (
        tree is None
        or tree.animation_data
        or {n.bl_idname for n in tree.nodes} != {"ShaderNodeEmission", "ShaderNodeOutputLight"}
    ):
        return False
    given = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeEmission").inputs
    return (
        len(tree.links) == 1 and plain(given[0].default_value) == (1, 1, 1, 1) and given[1].default_value == 1
    )


def _near(value: Any, idle: float) -> bool:
    return isinstance(value, int | float) and abs(value - idle) < 1e-6


def links(tree: bpy.types.NodeTree) -> list[tuple[str, str, str, str, bool]]:
    """What is connected; the order counts only among the links into one socket."""
    found = [
        (
            link.to_node.name, link.to_socket.identifier, link.from_node.name, link.from_socket.identifier,
            link.is_muted,
        )
        for link in tree.links
    ]  # fmt: skip
    return sorted(found, key=lambda link: link[:2])


def interface(tree: bpy.types.NodeTree) -> Iterator[object]:
    """The inputs of a group."""
    for item in tree.interface.items_tree:
        if item.item_type == "SOCKET" and item.in_out == "INPUT":
            value = getattr(item, "default_value", None)
            yield item.identifier, item.socket_type, None if isinstance(value, bpy.types.ID) else plain(value)


def told_path(owner: bpy.types.ID, path: str) -> str:
    """A data path with sockets by identifier, since versions insert new ones, and modifier inputs as before 5.2."""

    def named(match: re.Match[str]) -> str:
        node = tree.nodes.get(bpy.utils.unescape_identifier(match["node"]))
        index = int(match["index"])
        if node is None or index >= len(node.inputs):
            return match[0]
        return f'nodes["{match["node"]}"].inputs["{node.inputs[index].identifier}"]'

    tree: Any = owner if isinstance(owner, bpy.types.NodeTree) else None
    if tree is not None:
        path = _INPUT.sub(named, path)
    return _MODIFIER.sub(r'["\1"]', path)
