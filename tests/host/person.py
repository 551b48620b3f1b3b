"""A person in the wizard: pages known by their titles, keys pressed one by one, screens kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.host import server
from tests.host.terminal import Terminal

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

ENTER, ESCAPE, UP, DOWN, PAGE_DOWN, F4 = "\r", "\x1b", "\x1b[A", "\x1b[B", "\x1b[6~", "\x1bOS"
CTRL_C, CTRL_Q, CTRL_U = "\x03", "\x11", "\x15"

ADDRESS = f"{server.ADMIN}@localhost"

#: The steps in their order, and what has to stand in the last lines of each page, whole.
KEYS = {
    "Welcome": ("Enter ", "= answers", "? help", "q quit"),
    "Web server": ("Enter accept", "Esc back", "= answers", "? help", "q quit"),
    "Scheduler": ("Enter accept", "Esc back", "= answers", "? help", "q quit"),
    "Runs a day": ("Enter accept", "Esc back", "= answers", "? help", "q quit"),
    "Mail": ("Enter accept", "Esc back", "F2 answers", "F1 help", "Ctrl+Q quit"),
    "Review": ("Enter whole diff", "a apply", "Esc back", "? help", "q quit"),
    "Apply": (),
    "Dry run": ("Enter go on", "? help"),
    "Done": ("Enter leave",),
}
STEPS = tuple(KEYS)
#: How many of the last lines are keys, at most: they fold where it is narrow.
_KEY_LINES = 3


class Person:
    """Somebody who reads a page before pressing a key on it. ``pressed`` counts the keys."""

    def __init__(self, terminal: Terminal, keep: Keep) -> None:
        self.terminal = terminal
        self.pressed = 0
        self._keep = keep

    def sees(self, *words: str, timeout: float = 40) -> str:
        """Waits for words, and keeps the screen they stand on."""
        self.terminal.until(*words, timeout=timeout)
        self.terminal.read(0.2)  # a page comes in pieces
        text = self.terminal.text
        self._keep(subprocess.CompletedProcess([], 0, text + "\n", ""), f"the screen: {words}")
        return text

    def shows(self, words: str) -> bool:
        """Whether words are there now, or a moment later."""
        self.terminal.read(0.1)
        return words in self.terminal.text

    def notes(self, sentence: str) -> None:
        """Keeps a sentence among the screens."""
        self._keep(subprocess.CompletedProcess([], 0, f"{sentence}\n", ""), "noted")

    def on(self, step: str, *words: str, timeout: float = 40) -> str:
        """Waits for a step's page with all of its keys, and for words on it."""
        title = f"{step}  {STEPS.index(step) + 1}/{len(STEPS)}"
        self.sees(title, *KEYS[step], *words, timeout=timeout)
        lines = self.terminal.lines
        assert lines[0].endswith(title), self.terminal.text
        below = "\n".join(lines[-_KEY_LINES:])
        assert [keys for keys in KEYS[step] if keys not in below] == [], self.terminal.text
        return self.terminal.text

    def presses(self, key: str, times: int = 1) -> None:
        """One key."""
        for _ in range(times):
            self.terminal.send(key)
            self.pressed += 1

    def types(self, text: str) -> None:
        """Text, which is not counted."""
        self.terminal.send(text)
        self.terminal.until(text)

    def accepts(self, step: str, *words: str) -> None:
        """Enter on a page, once it is there."""
        self.on(step, *words)
        self.presses(ENTER)

    def chooses(self, label: str, rows: int = 8) -> None:
        """Goes down a list until the cursor, and the choice with it, is on a row."""
        for _ in range(rows):
            if self.chosen.startswith(label):
                return
            before = self.chosen
            self.presses(DOWN)
            for _ in range(50):
                self.terminal.read(0.1)
                if self.chosen not in ("", before):
                    break
        raise AssertionError(f"{label} is not in the list:\n{self.terminal.text}")

    @property
    def chosen(self) -> str:
        """What stands beside the one ``> (*)`` of the page, found in the text alone."""
        rows = [line.lstrip() for line in self.terminal.lines if "(*)" in line]
        if len(rows) != 1 or not rows[0].startswith("> (*) "):
            return ""
        return rows[0].removeprefix("> (*) ")

    def answers(self, backend: str, runs: str) -> None:
        """From Welcome to Review; what is there already is accepted."""
        self.accepts("Welcome")
        self.accepts("Web server")
        self.on("Scheduler")
        self.chooses(backend)
        self.presses(ENTER)
        self.on("Runs a day")
        self.types(runs)
        self.presses(ENTER)
        self.on("Mail")
        if ADDRESS not in self.terminal.text:
            self.types(ADDRESS)
        self.presses(ENTER)
        self.on("Review", "nothing is written yet")

    def leaves_proved(self, timeout: float = 120) -> int:
        """From the dry run to the end of the program; its exit code."""
        self.on("Dry run", "PROVED", "1 of 1", timeout=timeout)
        self.presses(ENTER)
        self.on("Done", "SET UP AND PROVED")
        self.presses(ENTER)
        return self.terminal.end()
