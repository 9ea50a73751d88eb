# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes to be told alike by several Blenders. Run by another Blender's Python it makes and reads .blend files:

python version_scenes.py make FOLDER            saves every scene, prints {name: digest}
python version_scenes.py read FOLDER [--told]   prints {name: digest}, or everything that was told
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("4.2", "4.5", "5.0", "5.2")


def python_of(version: str) -> Path:
    """The Python that has this Blender as a module; it may not exist."""
    return ROOT / f".env/blender-{version}/bin/python"


def start(version: str, *arguments: str, script: str = __file__) -> subprocess.Popen[str]:
    """Another Blender, working on its answer."""
    command = [str(python_of(version)), script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def answer(started: subprocess.Popen[str]) -> dict[str, object]:
    """What it answers, as soon as it does."""
    said, errors = started.communicate(timeout=120)
    answers = [line for line in said.splitlines() if line.startswith("ANSWER ")]
    assert answers, errors[-2000:]
    return json.loads(answers[-1].removeprefix("ANSWER "))


def ask(version: str, *arguments: str, script: str = __file__) -> dict[str, object]:
    """What another Blender answers."""
    return answer(start(version, *arguments, script=script))


def factory() -> None:
    """What a new file holds."""
    import bpy

    bpy.ops.wm.read_homefile(use_factory_startup=True)


def modified() -> None:
    """A monkey with every common modifier, constraints, a driver, keys and shape keys."""
    import bpy

    factory()
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_monkey_add()
    monkey = bpy.context.object
    scene.objects["Cube"].location = (3, 0, 0)
    for kind in (
        "ARRAY", "BEVEL", "BOOLEAN", "MIRROR", "SOLIDIFY", "SUBSURF", "TRIANGULATE", "DECIMATE", "SIMPLE_DEFORM",
        "WAVE", "DISPLACE", "WEIGHTED_NORMAL", "SHRINKWRAP", "CAST", "SMOOTH", "EDGE_SPLIT", "LATTICE",
    ):  # fmt: skip
        monkey.modifiers.new(
            kind.title(), kind
        ).show_viewport = False  # quick, and 4.2 divides by zero in one
    monkey.modifiers["Boolean"].object = scene.objects["Cube"]
    for kind in ("COPY_LOCATION", "TRACK_TO", "CHILD_OF", "LIMIT_ROTATION", "DAMPED_TRACK", "STRETCH_TO"):
        constraint = monkey.constraints.new(kind)
        if hasattr(constraint, "target"):
            constraint.target = scene.objects["Cube"]
    monkey.shape_key_add(name="Basis")
    monkey.shape_key_add(name="wide").value = 0.5
    monkey.data.shape_keys.key_blocks["wide"].keyframe_insert("value", frame=3)
    for frame in (1, 20):
        monkey.location.x = frame
        monkey.keyframe_insert("location", frame=frame)
    monkey.driver_add("scale", 0).driver.expression = "1 + frame / 100"
    group = monkey.vertex_groups.new(name="half")
    group.add(list(range(50)), 0.5, "REPLACE")
    monkey["glow"] = 0.25
    scene.timeline_markers.new("cut", frame=3).camera = scene.camera


def shaded() -> None:
    """Principled materials, textures, a sky, keyed nodes, groups, lamps of every kind."""
    import bpy

    factory()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    material = bpy.data.materials.new("shaded")
    _with_nodes(material)
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (0.8, 0.1, 0.1, 1)
    shader.inputs["Roughness"].default_value = 0.3
    shader.inputs["Roughness"].keyframe_insert("default_value", frame=1)
    shader.inputs["Metallic"].driver_add("default_value").driver.expression = "frame / 10"
    group = bpy.data.node_groups.new("tint", "ShaderNodeTree")
    group.interface.new_socket("Amount", in_out="INPUT", socket_type="NodeSocketFloat").default_value = 0.5
    group.interface.new_socket("Colour", in_out="OUTPUT", socket_type="NodeSocketColor")
    for kind in (
        "TexNoise", "TexVoronoi", "TexWave", "TexImage", "TexChecker", "ValToRGB", "RGBCurve", "Mapping", "Bump",
        "NormalMap", "BsdfGlass", "BsdfTransparent", "Mix", "MapRange", "VolumePrincipled", "Fresnel", "Value",
        "TexCoord", "Attribute", "HueSaturation", "BsdfHairPrincipled", "SubsurfaceScattering", "Displacement",
    ):  # fmt: skip
        tree.nodes.new(f"ShaderNode{kind}")
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    tree.links.new(tree.nodes["Noise Texture"].outputs[0], shader.inputs["Base Color"])
    scene.objects["Cube"].data.materials.clear()
    scene.objects["Cube"].data.materials.append(material)
    world = scene.world
    _with_nodes(world)
    sky = world.node_tree.nodes.new("ShaderNodeTexSky")
    world.node_tree.links.new(sky.outputs[0], world.node_tree.nodes["Background"].inputs[0])
    for kind in ("POINT", "SUN", "SPOT", "AREA"):
        lamp = bpy.data.objects.new(kind, bpy.data.lights.new(kind, kind))
        scene.collection.objects.link(lamp)
    scene.view_settings.look = "AgX - Medium High Contrast"


def generated() -> None:
    """Geometry nodes, text, curves, hair, metaballs, an armature, a lattice, instanced collections, particles."""
    import bpy

    factory()
    scene = bpy.context.scene
    cube = scene.objects["Cube"]
    tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    for name, way in (("Geometry", "INPUT"), ("Geometry", "OUTPUT")):
        tree.interface.new_socket(name, in_out=way, socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Size", in_out="INPUT", socket_type="NodeSocketFloat").default_value = 0.5
    ends = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    points, instance = (
        tree.nodes.new(f"GeometryNode{k}") for k in ("DistributePointsOnFaces", "InstanceOnPoints")
    )
    ball = tree.nodes.new("GeometryNodeMeshIcoSphere")
    tree.links.new(ends[0].outputs[0], points.inputs[0])
    tree.links.new(points.outputs[0], instance.inputs["Points"])
    tree.links.new(ball.outputs[0], instance.inputs["Instance"])
    tree.links.new(ends[0].outputs["Size"], ball.inputs["Radius"])
    tree.links.new(instance.outputs[0], ends[1].inputs[0])
    cube.modifiers.new("Scatter", "NODES").node_group = tree
    made = {
        "text": bpy.data.curves.new("text", "FONT"), "path": bpy.data.curves.new("path", "CURVE"),
        "ball": bpy.data.metaballs.new("ball"), "lattice": bpy.data.lattices.new("lattice"),
        "hair": bpy.data.hair_curves.new("hair"),
    }  # fmt: skip
    for name, data in made.items():
        scene.collection.objects.link(bpy.data.objects.new(name, data))
    made["text"].body = "Ähre"
    made["ball"].elements.new().radius = 1.5
    made["path"].splines.new("BEZIER").bezier_points[0].co = (1, 2, 3)
    made["hair"].add_curves([3, 4])
    bpy.ops.object.armature_add()
    inside = bpy.data.collections.new("inside")
    inside.objects.link(bpy.data.objects.new("hidden", cube.data))
    empty = bpy.data.objects.new("instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", inside
    scene.collection.objects.link(empty)
    cube.modifiers.new("Fur", "PARTICLE_SYSTEM")


def posed() -> None:
    """The scene of the other tests: parts, depth of field, keys, a marker."""
    import bpy

    sys.path.insert(0, str(ROOT))
    from tests.blender import truth_scenes

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    truth_scenes.two_parts((64, 36))


def _with_nodes(block) -> None:
    from holdfast import compat

    compat.node_tree_of(block)


SCENES = {scene.__name__: scene for scene in (factory, modified, shaded, generated, posed)}


class Told:
    """Keeps what a walk tells, in words."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def update(self, data: bytes) -> None:
        text = (
            data.decode("utf-8", "replace").strip()
            if data.endswith(b"\n")
            else f"bytes {hash(data)} {len(data)}"
        )
        self.lines.append(text[:200])


def told() -> list[str]:
    """Everything the fingerprint is made of."""
    import bpy
    from holdfast.rendering.fingerprint import Walk

    keeper = Told()
    for _pause in Walk(bpy.context.scene, keeper).steps():
        pass
    return keeper.lines


def main(what: str, folder: str, *rest: str) -> dict[str, object]:
    import bpy
    from holdfast.rendering.fingerprint import fingerprint

    result: dict[str, object] = {}
    for name, build in SCENES.items():
        path = Path(folder) / f"{name}.blend"
        if what == "make":
            build()
            bpy.context.view_layer.update()
            bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
        elif not path.exists():
            continue
        else:
            bpy.ops.wm.open_mainfile(filepath=str(path))
        result[name] = told() if rest else fingerprint(bpy.context.scene)
    return result


def matrix() -> None:
    """Prints which scenes of each version the later ones tell otherwise."""
    for number, maker in enumerate(VERSIONS):
        with tempfile.TemporaryDirectory() as folder:
            made = ask(maker, "make", folder)
            for reader in VERSIONS[number:]:
                read = ask(reader, "read", folder)
                other = [name for name in made if read[name] != made[name]]
                print(f"{maker} -> {reader}: {', '.join(other) or 'the same'} ", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["matrix"]:
        matrix()
        sys.exit()
    sys.path.insert(0, str(ROOT))
    import tests.conftest  # noqa: F401  makes `holdfast` importable

    result = main(*sys.argv[1:])  # Blender's own output comes before the answer
    print("\nANSWER " + json.dumps(result), flush=True)
    from scripts import blender_host

    blender_host.leave(0)
