"""Findings that nobody measured."""

from bench.figures import Absent, Findings, Goal, Timing
from bench.tables import Found

MACHINE = {"processor": "an abacus, 2 rows", "Python": "3.11"}

FOUND = Found(
    number=2,
    title="full replay",
    findings=Findings(
        timings=(
            Timing(contender="kchat", case="4 messages", seconds=(0.002, 0.004, 0.003), size=4),
            Timing(contender="kchat", case="50 messages", seconds=(0.03,), size=50),
            Timing(contender="raw client", case="4 messages", seconds=(0.002,), size=4),
        ),
        goals=(
            Goal.ratio_max("<= 2x raw", 1.5, 2.0),
            Goal(goal="<= 3 ms", measured="4 ms", met=False, why="the sieve has holes"),
            Goal.count_max("round trips", 3, 2),
        ),
        absent=(Absent(contender="Redis", why="not installed"),),
        notes=("Nobody measured this.",),
    ),
)
CRASHED = Found(number=7, title="crash", findings=Findings(), crash="ValueError: no")
