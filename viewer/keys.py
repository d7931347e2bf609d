"""Keys that a script may have on the page, and how they are spelled.

As `KeyboardEvent.key` says it: ``"k"``, ``"Shift+k"``, ``"PageUp"``, ``"F8"``. Refused is what the
page itself uses, for nobody would know any more what the key does, and what browsers keep.
"""

from __future__ import annotations

from viewer.errors import InvalidValueError

PAGE_KEYS = {
    *("Space", "f", "+", "=", "-", "b", "x", ".", ",", "Shift+.", ">", "Shift+,", "<"),
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "]", "[", "p", "v", "F2"),
    *("Alt+ArrowUp", "Alt+ArrowDown", "c", "i", "g", "Enter", "s", "o", "m", "j", "h", "?"),
    *("l", "n", "\\", "r", "q", "e", "z", *"123456789"),
    *("Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"),
}
"""What the page's own actions use (`frontend/src/ui/actions/`; a test compares)."""

BROWSER_KEYS = {
    *("Tab", "Escape", "F1", "F3", "F5", "F6", "F7", "F10", "F11", "F12", "'", "/"),
    *("ContextMenu", "Dead", "Process", "Unidentified", "CapsLock", "NumLock"),
}
"""What browsers do something with, each on its own, or what is no stroke."""

NAMED_KEYS = {
    *("Home", "End", "PageUp", "PageDown", "Insert", "Delete", "Backspace"),
    *("F4", "F8", "F9"),
}
"""Keys with a name that are free."""

_SPELLINGS = {
    "space": "Space",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "esc": "Escape",
    "return": "Enter",
    "del": "Delete",
}


def spell_key(key: object) -> str:
    """A key as pages spell it.

    Parameters
    ----------
    key : str
        A character, or a key's name; ``Shift+`` before it for a capital letter.

    Raises
    ------
    InvalidValueError
        For no key, or one that the page or browsers use; says which.
    """
    if not isinstance(key, str) or not key.strip():
        raise _refusal(key, "is not a key")
    *modifiers, last = [key] if len(key) == 1 else key.removesuffix("+").split("+")
    last = "+" if key.endswith("+") else last.strip()
    held = {modifier.strip().capitalize() for modifier in modifiers if modifier.strip()}
    if len(last) == 1 and last.isalpha() and last.isupper():
        held.add("Shift")
    last = last.lower() if len(last) == 1 else _named(last)
    if held & {"Ctrl", "Control", "Meta", "Cmd", "Command", "Alt", "Option"}:
        spelled = "+".join((*sorted(held), last))
        whose = "the page's own" if spelled in PAGE_KEYS else "the browser's or the system's"
        raise _refusal(key, f"is {whose}")
    if held - {"Shift"}:
        raise _refusal(key, "is not a key")
    spelled = f"Shift+{last}" if held else last
    if spelled in PAGE_KEYS:
        raise _refusal(key, "is the page's own: press H there to see what it does")
    if spelled in BROWSER_KEYS:
        raise _refusal(key, "is the browser's")
    if held and not (len(last) == 1 and last.isalpha()):
        raise _refusal(key, "is typed otherwise on other keyboards: name the character itself")
    if len(last) > 1 and last not in NAMED_KEYS:
        raise _refusal(key, "is not a key")
    return spelled


def _named(name: str) -> str:
    known = PAGE_KEYS | BROWSER_KEYS | NAMED_KEYS
    by_lower = {key.lower(): key for key in known} | _SPELLINGS
    return by_lower.get(name.lower(), name)


def _refusal(key: object, why: str) -> InvalidValueError:
    free = "a d k t u w y, 0, Shift + any letter, Home, End, PageUp, PageDown, F4, F8, F9"
    return InvalidValueError(f"key={key!r} {why}.", hint=f"Free are {free}.")
