"""In: file operations. Out: a disk that loses what was not synced when the power goes, as unkindly as POSIX allows.

A name (new, renamed, removed) lasts once its folder was synced, content once its file was. What was not synced may be there
or not, each for itself: the `luck` of a crash decides. A file whose content was not synced comes back empty, or torn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Luck = Callable[[], bool]
"""Whether one unsynced change reached the disk all the same."""


class PowerCut(BaseException):
    """The power went: nothing may catch it."""


@dataclass(eq=False)
class Node:
    """A file, a link or a folder; `safe` is what the disk holds, the other what programs see."""

    data: bytes | None = None
    link: str | None = None
    names: dict[str, Node] | None = None
    safe_data: bytes | None = None
    safe_names: dict[str, Node] = field(default_factory=dict)


class ForgetfulDisk:
    """update.disk.Disk, in memory. `cut_after`: the number of changes before the power goes."""

    def __init__(self) -> None:
        self.root = Node(names={})
        self.changes = 0
        self.cut_after: int | None = None

    # --- the power --------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        if self.cut_after is not None and self.changes >= self.cut_after:
            raise PowerCut
        self.changes += 1

    def crash(self, luck: Luck) -> None:
        """What is left after the power went."""
        self.cut_after, self.changes = None, 0
        self._forget(self.root, luck)

    def _forget(self, node: Node, luck: Luck) -> None:
        if node.names is not None:
            names = dict(node.safe_names)
            for name in sorted(node.names.keys() | node.safe_names.keys()):
                seen, safe = node.names.get(name), node.safe_names.get(name)
                if seen is not safe and luck():
                    if seen is None:
                        del names[name]
                    else:
                        names[name] = seen
            node.names, node.safe_names = names, dict(names)
            for child in names.values():
                self._forget(child, luck)
        elif node.link is None and node.data != node.safe_data:
            written = node.data or b""
            node.data = written if luck() else (node.safe_data if luck() else written[: len(written) // 2])
            node.data = node.safe_data = node.data or b""

    # --- update.disk.Disk -------------------------------------------------------------------------------------------

    def _find(self, path: Path) -> Node | None:
        node: Node | None = self.root
        for part in path.parts[1:]:
            node = node.names.get(part) if node is not None and node.names is not None else None
        return node

    def _folder(self, path: Path) -> dict[str, Node]:
        node = self._find(path)
        if node is None or node.names is None:
            raise FileNotFoundError(str(path))
        return node.names

    def read(self, path: Path) -> bytes:
        node = self._find(path)
        if node is None or node.data is None:
            raise FileNotFoundError(str(path))
        return node.data

    def write(self, path: Path, data: bytes) -> None:
        self._change()
        node = self._folder(path.parent).setdefault(path.name, Node(data=b""))
        node.data = data

    def copy(self, source: Path, target: Path) -> None:
        self.write(target, self.read(source))

    def make_folder(self, path: Path) -> None:
        for parent in [*reversed(path.parents), path][1:]:
            if self._find(parent) is None:
                self._change()
                self._folder(parent.parent)[parent.name] = Node(names={})

    def link(self, path: Path, target: str) -> None:
        self._change()
        self._folder(path.parent)[path.name] = Node(link=target)

    def target(self, path: Path) -> str | None:
        node = self._find(path)
        return None if node is None else node.link

    def rename(self, source: Path, target: Path) -> None:
        self._change()
        self._folder(target.parent)[target.name] = self._folder(source.parent).pop(source.name)

    def remove(self, path: Path) -> None:
        """Folders go name by name, in any order, as rmtree does: each removal may last or not."""
        node = self._find(path)
        if node is None:
            return
        for name in list(node.names or ()):
            self.remove(path / name)
        self._change()
        del self._folder(path.parent)[path.name]

    def names(self, folder: Path) -> list[str]:
        node = self._find(folder)
        return sorted(node.names) if node is not None and node.names is not None else []

    def is_file(self, path: Path) -> bool:
        node = self._find(path)
        return node is not None and node.data is not None

    def is_folder(self, path: Path) -> bool:
        node = self._find(path)
        return node is not None and node.names is not None

    def sync_file(self, path: Path) -> None:
        self._change()
        node = self._find(path)
        assert node is not None
        node.safe_data = node.data

    def sync_folder(self, path: Path) -> None:
        self._change()
        node = self._find(path)
        assert node is not None and node.names is not None
        node.safe_names = dict(node.names)

    def sync_tree(self, path: Path) -> None:
        self._change()
        self._sync(self._find(path))

    def sync_all(self) -> None:
        """As after a clean shutdown."""
        self._sync(self.root)

    def _sync(self, node: Node | None) -> None:
        assert node is not None
        node.safe_data = node.data
        if node.names is not None:
            node.safe_names = dict(node.names)
            for child in node.names.values():
                self._sync(child)
