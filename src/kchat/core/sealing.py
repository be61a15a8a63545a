"""Keeps what must not be shown out of tracebacks: tools that print them print the repr of every local."""

from typing import Generic, NoReturn, TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen
class Sealed(Generic[T]):
    """Settings or messages on their way through a function that may raise.

    A public function seals what it is given and deletes its own name for it, in its first two lines. After
    that the content is used where it is opened (`sealed.content`) and gets no other local name.
    """

    content: T = field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("what is sealed is not pickled")
