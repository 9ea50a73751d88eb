# SPDX-License-Identifier: GPL-3.0-or-later
"""What a negative word means the other way round, for models that have no negative field."""

import re

FOLDS: tuple[tuple[str, str], ...] = (
    (r"flicker\w*|strob\w*|boil\w*|jitter\w*|shimmer\w*", "The picture is steady from frame to frame"),
    (r"melt\w*|morph\w*|warp\w*|deform\w*|distort\w*|bend\w*|wobbl\w*|rubber\w*", "Every part keeps its rigid shape"),
    (r"extra (?:part|object|limb|finger)s?|duplicat\w*|doubl\w*|clones?|second \w+|ghost\w*",
     "Every part is in the picture once"),
    (r"missing \w+|vanish\w*|disappear\w*|fad\w* out", "Every part is there in every frame"),
    (r"captions?|subtitles?|watermarks?|signatures?|overlays?|(?:extra |added |random )?(?:text|letter\w*|writing|logos?)",
     "The only lettering is what the clip shows"),
    (r"blur\w*|soft focus|out of focus|hazy", "The parts are sharp"),
    (r"camera (?:shake|movement|motion|move)s?|shak\w*|zoom\w*|pan\w*", "The camera is that of the clip"),
    (r"cuts?|scene changes?|transitions?|fades?", "It is one continuous shot"),
    (r"people|persons?|hands?|faces?|humans?|animals?|fingers?", "Only the objects of the clip are in the picture"),
    (r"clutter\w*|busy background|crowd\w*|messy?", "The surroundings are plain"),
    (r"noise|noisy|grain\w*|artefacts?|artifacts?|compression|banding", "Surfaces are clean"),
    (r"photo\w*|realis\w*|3d(?: render\w*)?|cgi|render\w*", "Everything is drawn by hand"),
    (r"over\s?exposed|blown highlights?|glare|too bright", "Highlights keep their drawing"),
    (r"under\s?exposed|too dark|crushed blacks", "Shadows keep their drawing"),
    (r"slow motion|speed ramps?|time lapse|retim\w*", "The motion has the speed of the clip"),
    (r"low quality|worst quality|low resolution|low-?res|ugly|bad\b.*", "The picture is clean and in full detail"),
)  # fmt: skip
_FOLDS = tuple((re.compile(rf"(?:no )?(?:{pattern})", re.IGNORECASE), says) for pattern, says in FOLDS)


def fold(word: str) -> str:
    """What stays, said positively; "" where there is no such way."""
    return next((says for pattern, says in _FOLDS if pattern.fullmatch(word.strip())), "")
