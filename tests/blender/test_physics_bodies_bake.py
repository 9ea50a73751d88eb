# SPDX-License-Identifier: GPL-3.0-or-later
"""Live bodies to plain keys: where they come to rest, that keys replay it, and that clearing puts everything back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
import holdfast.operators.bodies as bodies
import numpy as np
import pytest
from holdfast.command_line import main
from holdfast.operators import body_bake
from holdfast.operators.body_bake import Baked
from holdfast.operators.body_fall import Fall
from holdfast.physics import handover
from holdfast.pipeline.errors import InputError
from holdfast.rendering import shot

sys.path.insert(0, str(Path(__file__).parent))
from bodies_parts import P, add, done, make, proxy_of, same, shapes, world_points
from scene_dump import differences, dump


def frames(last: int) -> bpy.types.Scene:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, last
    scene.frame_set(1)
    return scene


def bake(objects: list[bpy.types.Object], **how: Any) -> Baked:
    found = done(body_bake.bake(bpy.context.scene, objects, Fall(**how)))
    print(found.summary(), *found.told, sep="\n  ")
    return found


def lowest(ob: bpy.types.Object) -> float:
    return float(world_points(ob)[:, 2].min())


def test_parts_fall_rest_and_are_put_back() -> None:
    scene = frames(48)
    parts = shapes()
    parts[0].scale, parts[0].rotation_euler = (-1.0, 1.2, 0.8), (0.3, 1.0, -0.2)
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    parent.location, parent.scale, parent.rotation_euler = (0.3, 0.0, 0.02), (2.0, 2.0, 2.0), (0.0, 0.0, 0.7)
    parts[2].parent = parent
    parts[2].matrix_parent_inverse = parent.matrix_basis.inverted()
    bpy.context.view_layer.update()
    before = [np.array(part.matrix_world) for part in parts]
    make(parts, live=True)
    live = dump()
    with pytest.raises(Exception, match="moved by a live simulation"):
        shot.refuse_live_physics(scene)
    found = bake(parts)
    assert found.names == sorted(part.name for part in parts)
    shot.refuse_live_physics(scene)
    for part, start in zip(parts, before, strict=True):
        scene.frame_set(1)
        assert np.abs(np.array(part.matrix_world) - start).max() < 1e-6
        scene.frame_set(48)
        low = lowest(part)
        print(f"{part.name}: lowest point {1e3 * low:+.4f} mm")
        assert abs(low) < 4e-4
        proxy = proxy_of(part)
        here = np.array(part.matrix_world @ proxy.matrix_parent_inverse @ proxy.matrix_basis)
        assert np.abs(here - np.array(proxy.matrix_world)).max() < 1e-6 and proxy.rigid_body.kinematic
    scene.frame_set(1)
    assert body_bake.clear(parts) == len(parts) and body_bake.clear(parts) == 0
    same(live)


def test_keys_replay_the_motion_and_a_second_bake_is_the_same() -> None:
    scene = frames(30)
    parts = shapes()
    make(parts, live=True)
    first = bake(parts, velocity=(0.2, 0.0, 0.5), spin=(3.0, 2.0, 1.0))
    seen = [
        [np.array(part.matrix_world) for part in parts] for frame in (3, 30, 7) if not scene.frame_set(frame)
    ]
    second = bake(parts, velocity=(0.2, 0.0, 0.5), spin=(3.0, 2.0, 1.0))
    again = [
        [np.array(part.matrix_world) for part in parts] for frame in (3, 30, 7) if not scene.frame_set(frame)
    ]
    assert first.digest == second.digest and np.array_equal(seen, again)
    assert handover.bake_of(parts[0]) == first.digest and len(bpy.data.actions) == len(parts)
    assert bake(parts).digest != first.digest
    scene.frame_set(1)
    bodies.remove(scene, parts)
    assert handover.bake_of(parts[0]) is not None  # keys stay, the farm needs nothing else
    assert scene.rigidbody_world is None


@pytest.mark.parametrize("steps", [0, 3, 8, -1, -3])
@pytest.mark.parametrize("again", [False, True])
def test_stopped_anywhere_the_file_is_as_it_was(steps: int, again: bool) -> None:
    scene = frames(8)
    parts = shapes()[:3]
    make(parts, live=True)
    if again:
        bake(parts)
    if steps < 0:
        steps += sum(1 for _ in body_bake.bake(scene, parts, Fall()))
        if not again:
            body_bake.clear(parts)
    before = dump()
    work = body_bake.bake(scene, parts, Fall(velocity=(1.0, 0.0, 0.0)))
    for _ in range(steps):
        next(work)
    work.close()
    same(before)


def test_one_undo_takes_the_bake_back() -> None:
    frames(10)
    parts = shapes()[:3]
    make(parts, live=True)
    for part in parts:
        part.select_set(True)
    bpy.ops.ed.undo_push(message="before")
    before = dump()
    assert bpy.ops.holdfast.bake_bodies("EXEC_DEFAULT", True, floor_mm=-20.0) == {"FINISHED"}
    baked = dump()
    assert differences(before, baked)
    assert bpy.ops.holdfast.clear_bake("EXEC_DEFAULT", True) == {"FINISHED"}
    bpy.ops.ed.undo()
    assert differences(baked, dump()) == []
    bpy.ops.ed.undo()
    same(before)


def test_they_fall_on_what_stands_and_what_its_keys_move() -> None:
    scene = frames(36)
    cube = add("cube", size=0.03, location=(0.0, 0.0, 0.06))
    ball = add("ball", P.primitive_uv_sphere_add, radius=0.015, location=(0.2, 0.0, 0.2))
    lift = add("lift", size=0.02, location=(0.0, 0.0, 0.02))
    lift.scale = (4.0, 4.0, 1.0)
    bowl = add(
        "bowl", P.primitive_cylinder_add, radius=0.05, depth=0.1, vertices=24, location=(0.2, 0.0, 0.05)
    )
    bpy.context.view_layer.update()
    lift.keyframe_insert("location", frame=6)
    lift.location.z = 0.05
    lift.keyframe_insert("location", frame=24)
    scene.frame_set(1)
    make([lift])
    make([cube, ball], live=True)
    scene.rigidbody_world.collection.objects.link(bowl)
    bowl.rigid_body.type, bowl.rigid_body.collision_shape = "PASSIVE", "MESH"
    bake([cube, ball], floor=None)
    scene.frame_set(36)
    print(f"cube at {1e3 * lowest(cube):.3f} mm on the lift at 60, ball at {1e3 * lowest(ball):.3f} on 100")
    assert lowest(cube) == pytest.approx(0.06, abs=3e-4)
    assert lowest(ball) == pytest.approx(0.1, abs=3e-4)


def joint(
    name: str, a: bpy.types.Object, b: bpy.types.Object, kind: str, at: tuple[float, float, float]
) -> Any:
    scene = bpy.context.scene
    world = scene.rigidbody_world
    if world.constraints is None:
        world.constraints = bpy.data.collections.new("RigidBodyConstraints")
    ob = bpy.data.objects.new(name, None)
    ob.location = at
    scene.collection.objects.link(ob)
    world.constraints.objects.link(ob)
    rule = ob.rigid_body_constraint
    rule.type, rule.object1, rule.object2 = kind, a, b
    bpy.context.view_layer.update()
    return rule


def test_constraints_hold_and_break_at_their_force() -> None:
    scene = frames(24)
    hook = add("hook", size=0.01, location=(0.0, 0.0, 0.5))
    hung = add("hung", size=0.02, location=(0.04, 0.0, 0.5))
    loose = add("loose", size=0.02, location=(0.0, 0.1, 0.47))
    post = add("post", size=0.01, location=(0.0, 0.1, 0.5))
    make([hook, post])
    make([hung, loose], live=True)
    joint("rope", proxy_of(hook), proxy_of(hung), "POINT", (0.0, 0.0, 0.5))
    glue = joint("glue", proxy_of(post), proxy_of(loose), "FIXED", (0.0, 0.1, 0.49))
    weight = 9.81 * proxy_of(loose).rigid_body.mass
    for force, holds in ((2.0 * weight, True), (0.5 * weight, False)):
        glue.use_breaking = True
        glue.breaking_threshold = force / (24 * scene.rigidbody_world.substeps_per_frame)
        told = bake([hung, loose], floor=None).told
        assert any(line.startswith("glue let go at frame") for line in told) is not holds
        scene.frame_set(24)
        assert (loose.matrix_world.translation.z > 0.4695) is holds
        far = [(hung.matrix_world.translation - hook.matrix_world.translation).length
               for frame in range(1, 25) if not scene.frame_set(frame)]  # fmt: skip
        print(f"hung: from {1e3 * min(far):.4f} to {1e3 * max(far):.4f} mm from its hook")
        assert max(abs(value - 0.04) for value in far) < 1e-4


def test_the_exact_path_bounces_and_the_others_meet_it() -> None:
    scene = frames(24)
    ball = add("ball", P.primitive_uv_sphere_add, radius=0.015, location=(0.0, 0.0, 0.3))
    ball.holdfast.material, ball.holdfast.exact_path = "RUBBER", True
    other = add("other", P.primitive_uv_sphere_add, radius=0.01, location=(0.3, 0.0, 0.3))
    other.holdfast.material = "RUBBER"
    make([ball, other], live=True)
    told = " ".join(bake([ball, other]).told)
    assert "other was baked without its bounce, which Bullet can't: tick Exact Path" in told
    assert "ball is on its exact path" in told
    lows = {}
    for ob in (ball, other):
        lows[ob.name] = [lowest(ob) for frame in range(1, 25) if not scene.frame_set(frame)]
    drop, at = 0.285, np.arange(24) / 24
    fall = np.sqrt(2 * drop / 9.81)
    up = 0.6 * 9.81 * fall
    first = np.where(at < fall, drop - 0.5 * 9.81 * at**2, up * (at - fall) - 0.5 * 9.81 * (at - fall) ** 2)
    until = int(24 * (fall + 2 * up / 9.81))
    off = np.abs(np.array(lows["ball"]) - first)[:until].max()
    print(f"ball off its closed form by {1e3 * off:.4f} mm until the second bounce")
    assert off < 1e-4 and max(lows["other"][14:]) < 1e-4


def test_what_cannot_be_baked_says_so() -> None:
    scene = frames(10)
    part, other = add("part", size=0.03), add("other", size=0.03, location=(0.1, 0.0, 0.0))
    make([other])

    def refused(ob: bpy.types.Object, sentence: str, **how: Any) -> None:
        before = dump()
        with pytest.raises(InputError, match=sentence) as caught:
            bake([ob], **how)
        print(caught.value)
        same(before)

    refused(part, "'part' has no rigid body. Make Bodies first")
    refused(other, "The body of 'other' follows its part. Make it Live")
    make([part], live=True)
    refused(part, "'part' starts 15.0 mm below the floor")
    part.delta_location.x = 1.0
    refused(part, "delta transforms")
    part.delta_location.x = 0.0
    own = part.constraints.new("LIMIT_LOCATION")
    refused(part, "constraints that pull against its keys")
    part.constraints.remove(own)
    part.keyframe_insert("location", frame=1)
    refused(part, "animated already, by ")
    part.animation_data_clear()
    squeezed = bpy.data.objects.new("squeezed", None)
    scene.collection.objects.link(squeezed)
    squeezed.scale = (1.0, 3.0, 1.0)
    part.parent = squeezed
    bpy.context.view_layer.update()
    refused(part, "sheared by the uneven scale of its parent", floor=-1.0, spin=(0.0, 0.0, 3.0))
    scene.frame_end = 1
    refused(part, "one frame only")


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frames(12)
    part = add("toy", size=0.03, location=(0.0, 0.0, 0.1))

    def run(*argv: str) -> tuple[int, str]:
        code = main(["bodies", *argv])
        out = capfd.readouterr()
        assert "Traceback" not in out.out + out.err
        return code, out.out

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "toy.blend"))
    assert run("toy", "--trust-size", "--live", "--no-test")[0] == 0
    assert run("toy", "--bake", "--floor", "3")[0] == 2 and run("toy", "--bake", "--exact", "boy")[0] == 2
    code, said = run("toy", "--bake", "--floor=-10mm", "--exact", "toy", "--json", "--throw", "0.1,0,0")
    print(said)
    assert code == 0 and '"event": "baked"' in said and "exact path" in said
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "toy.blend"))
    bpy.context.scene.frame_set(12)
    part = bpy.data.objects["toy"]
    assert 0.01 < part.matrix_world.translation.x < 0.1 * 11 / 24
    code, said = run("toy", "--clear-bake")
    assert code == 0 and "1 bodies are live again" in said and handover.bake_of(part) is None
