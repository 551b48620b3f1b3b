"""Whether a page can be read and used as it lies on the screen: every complaint is a sentence.

Nothing is clipped (region against parent, text against the room it has), nothing overlaps, the
focus is in view with a cursor that can be read, and the last line names the keys that work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBar
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

#: How a cursor looks in text: before the line it is in.
CURSOR = ">"


def rows(app: App[Any]) -> list[str]:
    """The screen as a person reads it, without trailing spaces."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def complaints(app: App[Any]) -> list[str]:
    """Everything that is wrong with the present page."""
    return [
        *_beyond_ascii(app),
        *(wrong for widget in _shown(app) for wrong in _wrong_with(widget, app)),
        *_overlaps(app),
        *_focus(app),
        *_keys(app),
    ]


def _shown(app: App[Any]) -> list[Widget]:
    """The widgets that are displayed, as are all around them."""
    return [
        widget
        for widget in app.screen.walk_children(Widget)
        if not isinstance(widget, ScrollBar)
        and all(getattr(node, "display", True) for node in widget.ancestors_with_self)
        and widget.visible
    ]


def _name(widget: Widget) -> str:
    mark = f"#{widget.id}" if widget.id else "".join(f".{name}" for name in sorted(widget.classes))
    return f"{type(widget).__name__}{mark}"


def _beyond_ascii(app: App[Any]) -> Iterator[str]:
    for number, row in enumerate(rows(app), 1):
        strange = sorted({letter for letter in row if not letter.isascii()})
        if strange:
            yield f"row {number} has {strange!r}, which is not ASCII: {row.strip()!r}"


# -- room -------------------------------------------------------------------------------------


def _wrong_with(widget: Widget, app: App[Any]) -> Iterator[str]:
    if not widget.size.area and _has_text(widget):
        yield f"{_name(widget)} has no room at all"
        return
    yield from _outside(widget, app)
    yield from _cut(widget)
    if isinstance(widget, OptionList):
        yield from _folded(widget)
    if _scrolls(widget) and not _pages(app) and not _by_arrows(widget, app):
        yield f"{_name(widget)} has more than it shows, and no key is named that shows it"


def _has_text(widget: Widget) -> bool:
    return isinstance(widget, Static) and bool(str(widget.content).strip())


def _outside(widget: Widget, app: App[Any]) -> Iterator[str]:
    """A region that leaves its parent's, where the parent cannot be scrolled to it."""
    parent = widget.parent
    if not isinstance(parent, Widget) or not widget.region.area:
        return
    room = parent.region if parent is app.screen else parent.content_region
    inside = widget.region
    if _scrolls(parent):
        # What is above or below comes by scrolling; at the sides nothing does.
        inside = Region(inside.x, room.y, inside.width, min(inside.height, room.height))
    if not room.contains_region(inside):
        yield f"{_name(widget)} at {widget.region} leaves {_name(parent)} at {room}"


def _cut(widget: Widget) -> Iterator[str]:
    """Text that needs more rows, or wider ones, than it has."""
    if not isinstance(widget, Static) or not widget.content_size.area:
        return
    width, height = widget.content_size
    needed = widget.get_content_height(Size(width, 1000), widget.app.size, width)
    if needed > height:
        yield f"{_name(widget)} needs {needed} rows and has {height}: {str(widget.content)!r}"
    for line in str(widget.content).splitlines():
        words = line.split()
        if words and max(cell_len(word) for word in words) > width:
            yield f"{_name(widget)} has a word wider than its {width} columns: {line!r}"
    if widget.styles.height is not None and not widget.styles.height.is_auto:
        return
    # A line of its own that folds breaks the columns it was written in.
    for line in str(widget.content).splitlines():
        if cell_len(line) > width and line.startswith("  "):
            yield f"{_name(widget)} folds a line at {width} columns: {line!r}"


def _folded(widget: OptionList) -> Iterator[str]:
    """An option that Textual folded itself: its columns are lost."""
    for index in range(widget.option_count):
        prompt = str(widget.get_option_at_index(index).prompt)
        for line in prompt.splitlines():
            if cell_len(line) > widget.content_size.width:
                yield f"{_name(widget)} folds an option at {widget.content_size.width}: {line!r}"


def _scrolls(widget: Widget) -> bool:
    return widget.is_scrollable and widget.max_scroll_y > 0


def _pages(app: App[Any]) -> bool:
    """Whether the keys that scroll are named."""
    return "PgDn" in _keys_line(app) or "PgUp" in _keys_line(app)


def _by_arrows(widget: Widget, app: App[Any]) -> bool:
    """A list that has the focus shows each of its lines to the arrow keys."""
    return isinstance(widget, OptionList) and app.focused is widget


def _overlaps(app: App[Any]) -> Iterator[str]:
    shown = set(_shown(app))
    for parent in (app.screen, *shown):
        children = [child for child in parent.children if child in shown and child.region.area]
        for number, one in enumerate(children):
            for other in children[number + 1 :]:
                if one.region.overlaps(other.region):
                    yield f"{_name(one)} at {one.region} lies on {_name(other)} at {other.region}"


# -- focus and keys -----------------------------------------------------------------------------


def _focus(app: App[Any]) -> Iterator[str]:
    focused = app.focused
    if focused is None:
        yield "nothing has the focus: no key arrives"
        return
    if isinstance(focused, OptionList) and not focused.option_count:
        return  # there is nothing to choose yet
    if focused not in _shown(app) or not focused.region.area:
        yield f"{_name(focused)} has the focus and is hidden"
        return
    line = _line_of(focused, app)
    if line is None:
        return
    screen = rows(app)
    if not _visible(focused).contains(focused.region.x, line):
        yield f"{_name(focused)} has the focus, and its line {line + 1} is out of view"
    elif CURSOR not in screen[line][: focused.region.x + 2]:
        yield f"{_name(focused)} has the focus, but no {CURSOR} shows it: {screen[line]!r}"


def _line_of(focused: Widget, app: App[Any]) -> int | None:
    """The row of the screen that has the cursor; None where the widget has none but is read."""
    if isinstance(focused, OptionList):
        if focused.highlighted is None:
            return None
        above = sum(
            len(str(focused.get_option_at_index(index).prompt).splitlines())
            for index in range(focused.highlighted)
        )
        return focused.content_region.y + above - int(focused.scroll_y)
    if isinstance(focused, Input):
        return focused.region.y
    if isinstance(focused, Static):
        return focused.region.y
    return None


def _visible(widget: Widget) -> Region:
    """What of a widget is on the screen."""
    return widget.region.intersection(widget.screen.find_widget(widget).clip)


def _keys_line(app: App[Any]) -> str:
    return " ".join(str(widget.content) for widget in app.query("#keys").results(Static))


def _keys(app: App[Any]) -> Iterator[str]:
    """The last line is whole, and Enter comes first where it works."""
    body = getattr(app, "body", None)
    if body is None:
        return
    screen, line = rows(app), _keys_line(app)
    shown = " ".join(" ".join(screen[app.query_one("#keys").region.y :]).split())
    if not line.strip():
        yield "the last line names no key"
    asked = getattr(app, "asked", False)
    for key, what in [] if asked else body.works():
        if f"{key} {what}".strip() not in shown:
            yield f"the last line does not show {key} {what}: {shown!r}"
    names = [key for key, _ in body.works()]
    if "Enter" in names and names[0] != "Enter":
        yield f"Enter works and is not named first: {names}"
