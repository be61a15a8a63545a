"""`python -m kchat.cli` is `kchat`."""

from kchat.cli import main

main()
