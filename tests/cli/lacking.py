"""A module that cannot be imported, for want of another one."""

raise ImportError("the other library is required")
