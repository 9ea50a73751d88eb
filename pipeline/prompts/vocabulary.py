# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that lint looks for, and what to say instead."""

import re

from .reading import words

DEFORMING: tuple[tuple[re.Pattern[str], str], ...] = (
    (words("melt(?:s|ed|ing)?", "molten", "drip(?:s|ping)?", "ooz(?:e|es|ing)"), "runs of paint on the surface"),
    (words("morph(?:s|ed|ing)?", "transform(?:s|ed|ing)? into", "shape-?shift\\w*", "metamorpho\\w+"), "is redrawn in the same shape"),
    (words("liquid", "liquif\\w+", "liquef\\w+", "fluid(?:ly)?", "flow(?:s|ing)", "watery"), "wet-looking, glossy"),
    (words("wobbl\\w+", "jiggl\\w+", "bounc(?:y|ing)", "jelly\\S*", "rubber(?:y|-hose)?", "elastic", "stretchy"), "hand-drawn line"),
    (words("dream-?like", "surreal\\w*", "hallucinat\\w+", "psychedelic", "trippy", "otherworldly"), "soft light, pale colours"),
    (words("warp(?:s|ed|ing)?", "distort\\w*", "twist(?:s|ed|ing) out of shape", "bend(?:s|ing|y)?", "contort\\w*", "fold(?:s|ing) in on"),
     "painted with visible strokes"),
    (words("explod\\w+", "shatter\\w*", "disintegrat\\w+", "dissolv\\w+", "crumbl\\w+", "fall(?:s|ing)? apart", "break(?:s|ing)? apart"),
     "rough, broken brushwork on the surface"),
    (words("organic(?:ally)?", "alive", "living", "breath(?:e|es|ing)", "puls(?:e|es|ating|ing)", "grow(?:s|ing)"), "irregular texture"),
    (words("abstract", "deconstruct\\w+", "cubis[mt]\\w*", "exaggerat\\w+", "caricatur\\w+"), "flat, simplified colour areas"),
    (words("swirl(?:s|ing|y)?", "undulat\\w+", "rippl\\w+", "wav(?:y|ing)"), "swirling brushwork on the surface"),
)  # fmt: skip
"""(words that make models bend what they are said of, what to say instead)."""
PROMISES = words(
    "pixel[- ]perfect(?:ly)?", "frame[- ]accurate(?:ly)?", "exact(?:ly)? (?:the same|identical|match\\w*)", "perfect(?:ly)? (?:consisten\\w+|stable|match\\w*|identical)",
    "100 ?%", "guarantee[ds]?", "flawless(?:ly)?", "zero flicker", "absolutely (?:no|identical|stable)", "identical in every frame",
    "millimet(?:re|er)[- ]accurate", "physically (?:accurate|correct)", "lossless(?:ly)?", "1:1 copy",
)  # fmt: skip
PRAISE = words(
    "masterpiece", "best quality", "high(?:est)? quality", "award[- ]winning", "beautiful", "stunning", "amazing", "breathtaking",
    "trending on \\w+", "8k", "4k", "ultra[- ]?hd", "hyper[- ]?detailed", "ultra[- ]?detailed", "epic", "gorgeous", "very nice", "professional",
)  # fmt: skip
NEGATIVE = re.compile(
    r"(?<![\w-])(?:no(?! longer)|not|never|without|avoid(?:ing)?|don't|do not|doesn't|does not|must ?n[o']t|can't|cannot|free of)(?![\w-])",
    re.IGNORECASE,
)
CAMERA_MOVES = words(
    "pan(?:s|ning)?(?: (?:left|right|across))?", "zoom(?:s|ing)?(?:[ -](?:in|out))?", "doll(?:y|ies|ying)(?:[ -](?:in|out|zoom))?",
    "orbit(?:s|ing)?", "push(?:es)?[ -]in", "pull(?:s)?[ -]back", "crane shot", "track(?:ing)? shot", "hand-?held", "camera (?:moves?|shakes?|flies|circles|drifts|rotates?)",
    "moving camera", "fly-?(?:through|over|by)", "whip pan", "rack focus", "tilt(?:s|ing)? (?:up|down)", "truck(?:s|ing)? (?:left|right)",
    "camera shake", "arc shot", "(?:close|closer) up on",
)  # fmt: skip
CAMERA_LOCKED = words("static camera", "locked(?:[- ]off)? camera", "locked[- ]off", "camera (?:is |stays )?(?:still|locked|static|fixed)", "fixed camera", "tripod shot", "still camera")  # fmt: skip
RETIMES = words(
    "slow[- ]motion", "slow-?mo", "speed(?:s|ed)? up", "speed ramp\\w*", "time-?lapse", "fast[- ]forward", "revers(?:e|ed) (?:motion|playback)", "played backwards",
    "cuts? to", "jump cuts?", "then cuts?", "montage", "seamless loops?", "loop(?:ed|ing)", "freeze[- ]frame", "fades? (?:to|from) black", "hold on the last frame", "stutter\\w*", "on twos", "on threes",
)  # fmt: skip
ADDS = r"(?:another|a second|a third|extra|additional|more|many|several|two|three|multiple|dozens of|duplicate|copies of|a crowd of|rows of)"
HIDES = r"(?:remov\w+|delet\w+|eras\w+|hid(?:e|es|ing)|cover(?:s|ing)?|obscur\w+|conceal\w*|swallow\w*|replac\w+|lose)"
GOES = r"(?:vanish\w*|disappears?|fades? (?:out|away)|(?:is|are) (?:hidden|covered|removed|replaced|gone)|out of sight|goes? away)"
BACKGROUND = r"(?:background|backdrop|surroundings|environment|scenery)"
BACKGROUND_NEW = re.compile(
    rf"\b(?:new|another|different|other|fresh)(?: \w+)? {BACKGROUND}\b"
    rf"|\b(?:replac\w+|swap\w*|chang\w+|exchange|set)\b(?: \w+){{0,2}} {BACKGROUND}\b"
    rf"|\b{BACKGROUND}\b(?: \w+){{0,2}} (?:becomes?|turns? into|is replaced|changes? (?:to|into))\b",
    re.IGNORECASE,
)
BACKGROUND_MOVES = re.compile(
    rf"\b{BACKGROUND}\b(?: \w+){{0,2}} (?:moves?|drifts?|shifts?|scrolls?|changes?|morphs?|boils?|flows?|swirls?|cycles?)\b(?! (?:to|into)\b)"
    rf"|\b(?:moving|drifting|shifting|scrolling|changing|ever-changing|boiling|swirling|animated|evolving) {BACKGROUND}\b",
    re.IGNORECASE,
)
COLOUR_OVER_TIME = re.compile(
    r"\b(?:colou?rs? (?:cycl\w+|shift\w*|chang\w+|drift\w*|puls\w+)|cycl\w+ (?:through )?(?:\w+ )?colou?rs?|(?:shifting|changing|pulsing|cycling|iridescent) (?:\w+ )?colou?rs?|"
    r"iridescen\w+|from \w+ to \w+ over (?:the|time)|colou?r[- ]?cycl\w+|rainbow shimmer)\b",
    re.IGNORECASE,
)
LIGHT_OVER_TIME = re.compile(
    r"\b(?:flicker\w*|strob\w*|pulsing lights?|lightning|day (?:turns )?(?:in)?to night|night (?:turns )?(?:in)?to day|sun(?:set|rise) over the shot|"
    r"lights? (?:chang\w+|puls\w+|fad\w+|sweep\w*|mov\w+)|(?:changing|moving|sweeping|fading) lights?)\b",
    re.IGNORECASE,
)
ANY_COLOUR = words(
    "rainbow", "multi-?colou?red", "all colou?rs", "any colou?rs", "colou?rful", "every colou?r"
)
WEIGHTS = re.compile(r"\([^()]*:\s*\d+(?:\.\d+)?\)|\[\[|\]\]|<lora:[^>]*>|--\w+|(?<!\w)::\d", re.IGNORECASE)
