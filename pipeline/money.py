# SPDX-License-Identifier: GPL-3.0-or-later
"""Money: integer micros of a currency, words for people, and caps that hold before anything is sent."""

from dataclasses import dataclass

from .errors import Refused

CURRENCY = "USD"


@dataclass(frozen=True)
class Caps:
    """The most that one request, a shot, a day (UTC) and the project may cost, micros of CURRENCY; None: no cap."""

    request: int | None = None
    shot: int | None = None
    day: int | None = None
    project: int | None = None


def words(micros: int, currency: str = CURRENCY) -> str:
    """As it stands on a button: "$1.40", "free"; below a cent with what it takes."""
    if micros == 0:
        return "free"
    sign = "$" if currency == "USD" else f"{currency} "
    amount = micros / 1e6
    return f"{sign}{amount:.2f}" if micros >= 10_000 else f"{sign}{amount:.4f}"


def check_caps(caps: Caps, price: int, currency: str, shot: int, day: int, project: int) -> None:
    """Raises Refused if ``price`` on top of what shot, day and project have cost is over a cap."""
    if price and currency != CURRENCY:
        raise Refused(
            f"The price is in {currency}, the caps are in {CURRENCY}", todo="Give the model a price in USD."
        )
    asked = (
        ("a single request", caps.request, price), ("this shot", caps.shot, shot + price),
        ("today", caps.day, day + price), ("the project", caps.project, project + price),
    )  # fmt: skip
    for name, cap, total in asked:
        if price and cap is not None and total > cap:
            says = f"It would cost {words(price)}: {words(total)} for {name}, over the cap of {words(cap)}"
            raise Refused(says, todo="Raise the cap, or ask for less.")
