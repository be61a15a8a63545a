"""One way to keep chat conversations for each module."""
