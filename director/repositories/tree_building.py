"""Trees with some paths put in or taken out: made folder by folder, without an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from director.repositories.objects import ABSENT_MODE, TREE_MODE, Item, Objects, tree_data


def built_tree(
    objects: Objects,
    tree: str | None,
    changed: Mapping[str, Item],
    write: Callable[[bytes], str],
) -> str | None:
    """Return the id of ``tree`` (None: an empty one) with ``changed`` put in.

    ``changed`` maps paths to what they become (of ABSENT_MODE: gone). ``write`` is given the
    content of each folder that changes, and returns its id. None: nothing is left in it.
    """
    items = objects.items(tree) if tree else {}
    here: dict[str, Item] = {}
    below: dict[str, dict[str, Item]] = {}
    for path, item in changed.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = item
        else:
            here[name] = item
    for name, inner in below.items():
        old = items.get(name)
        folder = built_tree(objects, old.oid if old and old.is_tree else None, inner, write)
        if folder:
            items[name] = Item(TREE_MODE, folder)
        elif old and old.is_tree:
            del items[name]
    for name, item in here.items():
        if item.mode != ABSENT_MODE:
            items[name] = item
        elif name in items and not items[name].is_tree:
            del items[name]
    return write(tree_data(items)) if items else None
