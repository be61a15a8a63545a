"""Sizes and ages for people."""

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_AGES = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def size_text(size_bytes: int) -> str:
    """A number of bytes, in thousands: 12.3 kB."""
    size, unit = float(size_bytes), 0
    while size >= 999.95 and unit < len(_SIZES) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_SIZES[unit]}"


def age_text(milliseconds: int) -> str:
    """A length of time in its largest unit: 7 d, 1.5 h. Below 0 it is Kafka's "for ever"."""
    if milliseconds < 0:
        return "for ever"
    for unit_ms, unit in _AGES:
        if milliseconds >= unit_ms:
            return f"{milliseconds / unit_ms:.1f}".removesuffix(".0") + f" {unit}"
    return f"{milliseconds} ms"
