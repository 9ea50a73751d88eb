# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Blender's properties decide a picture, and how they are told the same way in Blender 4.2 to 5.2.

A value at its default is left out, so a property that only some versions have says nothing until somebody uses
it. Where versions disagree about a default or a name, the tables below say what holds for all; they were found by
comparing the RNA of 4.2, 4.5, 5.0 and 5.2.
"""

from typing import Any, NamedTuple

import bpy

_DERIVED = frozenset((
    "angle", "angle_x", "angle_y", "animation_data", "asset_data", "bound_box", "inputs", "internal_links",
    "is_valid", "library", "material_slot", "location_absolute", "matrix", "matrix_basis", "matrix_channel", "matrix_local", "matrix_world",
    "name_full", "original", "outputs", "override_library", "pixels", "point_cache", "point_caches", "preview",
    "rna_type", "session_uid", "tag", "use_extra_user", "use_fake_user", "users",
    "white_balance_whitepoint",
))  # fmt: skip
_INTERFACE = frozenset((
    "action_slot_handle", "action_slot", "action_suitable_slots", "annotation", "background_images", "bake",
    "bake_directory", "bake_target", "bakes", "color_tag", "custom_shape", "default_group_node_width", "display",
    "display_bounds_type", "display_type", "empty_display_size", "empty_display_type", "ffmpeg", "frame_current",
    "grease_pencil", "hide_select", "hide_surface_pick", "hide_viewport", "image_settings",
    "is_property_overridable_library", "last_slot_identifier", "library_weak_reference", "lock_location",
    "lock_rotation", "lock_rotation_w", "lock_rotations_4d", "lock_scale", "node_warnings", "panel_states", "panels",
    "persistent_uid", "radial_symmetry", "report", "save_output", "select", "threads", "threads_mode", "use_custom_shape_bone_size", "use_pin_to_last",
    "warning_propagation",
))  # fmt: skip
_OURS_TO_SET = frozenset((
    "compositor_denoise_device", "compositor_device", "compositor_precision", "dither_intensity",
    "use_file_extension", "use_multiview", "use_overwrite", "use_persistent_data", "use_placeholder",
    "use_render_cache", "stereo_views", "views", "views_format", "use_sequencer", "use_sequencer_override_scene_strip", "use_single_layer", "use_lock_interface",
))  # fmt: skip
"""Render settings that the throw-away copies set for themselves, or that decide nothing in them."""
_LEFTOVERS = frozenset((
    "ambient_occlusion_distance", "trail_count", "use_backface_culling_lightprobe_volume",
    "bake_bias", "bake_margin", "bake_margin_type", "bake_samples", "bake_type", "bake_user_scale", "bloom_clamp",
    "bloom_color", "bloom_intensity", "bloom_knee", "bloom_radius", "bloom_threshold", "bokeh_denoise_fac",
    "contact_shadow_bias", "contact_shadow_distance", "contact_shadow_thickness", "feature_set",
    "gi_cubemap_display_size", "gi_filter_quality", "gi_irradiance_display_size", "gi_irradiance_smoothing",
    "gi_show_cubemaps", "gi_show_irradiance", "gtao_distance", "gtao_factor", "gtao_quality",
    "homogeneous_volume", "shadow_buffer_bias", "shadow_cascade_size", "shadow_color", "shadow_cube_size",
    "shadow_method", "ssr_border_fade", "ssr_firefly_fac", "ssr_max_roughness", "ssr_quality", "ssr_thickness",
    "sss_jitter_threshold", "sss_samples", "use_bake_clear", "use_bake_lores_mesh", "use_bake_multires",
    "use_bake_selected_to_active", "use_bake_user_scale", "use_bloom", "use_bokeh_high_quality_slight_defocus",
    "use_contact_shadow", "use_gtao", "use_gtao_bent_normals", "use_gtao_bounce", "use_shadow_high_bitdepth",
    "use_soft_shadows", "use_ssr", "use_ssr_halfres", "use_ssr_refraction", "use_volumetric_lights",
))  # fmt: skip
"""What 4.2 still shows of the EEVEE before it, and of old baking: nothing reads it. And what changes when a file is
opened in another version, with no effect on any picture."""
_STARTS = (
    "active", "bl_", "debug_", "is_runtime", "open_", "preview_", "select_control", "select_head", "select_left",
    "select_right", "select_tail", "show_", "stamp_", "ui_", "use_preview", "use_stamp", "viewport_",
)  # fmt: skip
_KEPT = frozenset(("show_render", "show_instancer_for_render", "show_only_shape_key"))
_RUNTIME = frozenset(("cycles", "cycles_custom", "cycles_visibility"))
"""Pointers that add-ons made and that decide the picture; ours and all others don't."""
_NODE_LOOKS = frozenset((
    "color", "dimensions", "height", "hide", "label", "location", "parent", "use_custom_color", "width", "name",
))  # fmt: skip
_MOVED = frozenset((
    "adapt_threshold", "altitude", "clipping", "crease_threshold", "pass_alpha_threshold", "use", "use_advanced_hair",
    "use_ao", "use_chaining", "use_freestyle", "use_motion_blur", "use_pass_combined", "use_scale_instance", "use_sky",
    "use_solid", "use_sorting", "use_strand", "use_volumes", "data_types_edges", "data_types_loops", "data_types_polys",
    "data_types_verts", "default_max", "default_min", "delimit", "diffuse_color", "enabled", "fast_gi_thickness_near",
    "frame_step", "loop_slide", "phase", "rotation_range", "scale", "screen_trace_thickness",
    "simplify_gpencil_antialiasing", "simplify_gpencil_modifier", "simplify_gpencil_shader_fx",
    "simplify_gpencil_tint", "simplify_gpencil_view_fill", "strength", "sun_elevation", "surface_distance",
    "up_axis", "use_add", "use_axis", "use_clamp_overlap", "use_curve_radius",
    "use_cyclic_offset", "use_deform", "use_deform_bounds", "use_inherit_rotation", "use_library_path",
    "use_limit_surface", "use_local_location", "use_mirror_merge", "use_relative_location", "use_scale_stiffness",
    "SceneEEVEE.use_shadows", "use_transparency_overlap", "value", "visible_camera", "visible_diffuse", "visible_glossy",
    "visible_shadow", "visible_transmission", "visible_volume_scatter",
    *(f"use_{what}_{axis}" for what in ("location", "rotation", "scale") for axis in "xyz"),
    *(f"lock_{what}_{axis}" for what in ("location", "rotation") for axis in "xyz"),
))  # fmt: skip
"""Properties whose default differs between versions: always told."""
_DEFAULTS = {
    "backface_radiance_scale": 0.0, "default_input": "VALUE", "edge_weight": "bevel_weight_edge",
    "use_backface_hit": False, "use_fast_gi": True, "use_grease_pencil": True, "vertex_weight": "bevel_weight_vert",
}  # fmt: skip
"""Values that say nothing: what a version does that lacks the property."""
_NAMES = {"dust_density": "aerosol_density"}
_VALUES = {
    "engine": {"BLENDER_EEVEE_NEXT": "BLENDER_EEVEE"},
    "sky_type": {"NISHITA": "SINGLE_SCATTERING"},
    "solver": {"FAST": "FLOAT"},
}
_SCATTERING = {"RANDOM_WALK": "RANDOM_WALK since 5.2", "RANDOM_WALK_LEGACY": "RANDOM_WALK"}
"""Blender 5.2 gave the name to another method."""
NEW_SOCKETS = {
    "Diffuse Roughness": (0.0,), "Filter Width": (0.1, 1.0), "Thin Film IOR": (1.33,), "Thin Film Thickness": (0.0,),
    "Thin Wall": (False,), "ShaderNodeVolumeScatter.Alpha": (0.5,), "ShaderNodeVolumeScatter.Backscatter": (0.1,),
    "ShaderNodeVolumeScatter.Diameter": (20.0,), "ShaderNodeVolumeScatter.IOR": (1.33,),
}  # fmt: skip
"""Inputs of shader nodes that came after 4.2, by identifier, with the values at which they change nothing."""
ALWAYS = object()
"""A default that no value equals."""


class Property(NamedTuple):
    """``told`` is the name that stands for it in every version; ``default`` a value that needn't be told;
    ``values`` what stands for values with another name.
    """

    name: str
    told: str
    several: bool
    default: Any
    values: dict[str, str]


_known: dict[str, tuple[Property, ...]] = {}


def properties(rna: bpy.types.Struct) -> tuple[Property, ...]:
    """The properties of an RNA type that decide the picture, in the order of the names they are told by."""
    found = _known.get(rna.identifier)
    if found is None:
        node = _is_a(rna, "Node")
        chosen = [
            prop for prop in rna.properties if _counts(prop) and not (node and prop.identifier in _NODE_LOOKS)
        ]
        if rna.identifier == "RenderSettings":
            chosen = [prop for prop in chosen if prop.identifier not in _OURS_TO_SET | {"filepath"}]
        told = [_property(rna, prop) for prop in chosen]
        found = _known[rna.identifier] = tuple(sorted(told, key=lambda prop: prop.told))
    return found


def _property(rna: bpy.types.Struct, prop: bpy.types.Property) -> Property:
    name = prop.identifier
    values = _VALUES.get(name, {})
    if prop.type == "ENUM" and "RANDOM_WALK_LEGACY" in prop.enum_items:
        values = _SCATTERING
    return Property(name, _NAMES.get(name, name), prop.type == "COLLECTION", _default(rna, prop), values)


def plain(value: Any) -> Any:
    """Vectors, matrices, colours and arrays as tuples, sets in order; the rest as it is."""
    if isinstance(value, set | frozenset):
        return tuple(sorted(value))
    if hasattr(value, "__len__") and not isinstance(value, str | bytes):
        return tuple(plain(each) for each in value)
    return value


def _is_a(rna: bpy.types.Struct, base: str) -> bool:
    while rna is not None:
        if rna.identifier == base:
            return True
        rna = rna.base
    return False


def _counts(prop: bpy.types.Property) -> bool:
    name = prop.identifier
    if name in _KEPT:
        return True
    if getattr(prop, "is_deprecated", False):  # told from 5.0 on; reading one is a warning
        return False
    if name == "use_nodes" or (name == "dimensions" and prop.type == "FLOAT"):
        return False  # told apart by whoever walks nodes; of an object derived, of a curve a setting
    if name in _DERIVED or name in _INTERFACE or name in _LEFTOVERS or name.startswith(_STARTS):
        return False
    if prop.type in {"POINTER", "COLLECTION"}:
        return not prop.is_runtime or name in _RUNTIME
    return not prop.is_readonly


def _default(rna: bpy.types.Struct, prop: bpy.types.Property) -> Any:
    name = prop.identifier
    if name in _MOVED or f"{rna.identifier}.{name}" in _MOVED or prop.type in {"POINTER", "COLLECTION"}:
        return ALWAYS
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    if prop.type == "ENUM":
        if not prop.enum_items_static:
            return ALWAYS
        return plain(prop.default_flag) if prop.is_enum_flag else prop.default
    if getattr(prop, "is_array", False):
        return tuple(prop.default_array)
    return prop.default
