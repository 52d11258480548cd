"""Files and folders as git keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Blob:
    """A file as git keeps it."""

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        """Whether it is neither a symbolic link nor a submodule."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, whose content is its target."""
        return self.mode == "120000"


@dataclass(frozen=True)
class Tree:
    """A folder as git keeps it; oid is the hash of the whole folder."""

    oid: str
    files: Mapping[str, Blob]
