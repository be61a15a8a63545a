"""How a performer says that its command failed, where the client itself raises nothing."""

from kchat.core import BrokerError


class FailedError(Exception):
    """Carries a BrokerError to the one place that makes an event of it."""

    def __init__(self, error: BrokerError) -> None:
        super().__init__(error.code)
        self.error = error
