"""One change of the document as a pure function: old state and change in, new state out.

States are never altered in place. `put` copies the structs and dicts along the path and shares
everything else with the old state, so whoever holds a state may read it without a lock, on any
thread, for as long as it likes. Types, ranges and patterns come from `viewer.state` alone; what
those cannot say is in `viewer.document.rules`.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from viewer.document import naming
from viewer.errors import InvalidValueError, did_you_mean
from viewer.messages import Change

Path = tuple[str, ...]


def put(root: Struct, change: Change) -> Any:
    """`root` with `change` made; the same object when the change changes nothing.

    Parameters
    ----------
    root : Struct
        The state; left as it is.
    change : Change
        Its value may be a struct, JSON-like builtins, or hold NumPy scalars and arrays.

    Returns
    -------
    Struct
        Of the type of `root`.

    Raises
    ------
    InvalidValueError
        For a path that does not exist, or a value outside of the allowed ones.
    """
    path = tuple(change.path)
    if not path:
        raise InvalidValueError("The path of a change is empty.", hint="Name a field to change.")
    return _put(root, type(root), path, 0, change, root)


def overlap(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether one path is the other or leads to it."""
    return all(x == y for x, y in zip(a, b, strict=False))


def present(root: Struct, path: Sequence[str]) -> Change:
    """The change that puts what `root` now has at `path`; a removal where there is nothing."""
    node: Any = root
    for depth, key in enumerate(path):
        if isinstance(node, Struct) and key in node.__struct_fields__:
            node = getattr(node, key)
        elif isinstance(node, dict) and key in node:
            node = node[key]
        else:
            return Change(tuple(path[: depth + 1]), remove=True)
    return Change(tuple(path), msgspec.to_builtins(node))


def _put(node: Any, annotation: Any, path: Path, depth: int, change: Change, root: Struct) -> Any:
    if depth == len(path):
        return convert(change.value, annotation, path, root)
    key = path[depth]
    last = depth + 1 == len(path)
    if isinstance(node, Struct):
        hints = _hints(type(node))
        if key not in hints:
            raise InvalidValueError(
                f"{naming.whole(path[:depth], root)} has no {key!r}.",
                hint=did_you_mean(key, hints),
            )
        if last and change.remove:
            raise InvalidValueError(
                f"{naming.call(path, root)} cannot be removed.", hint="Only entries of a dict can."
            )
        old = getattr(node, key)
        new = _put(old, hints[key], path, depth + 1, change, root)
        return node if _same(old, new) else msgspec.structs.replace(node, **{key: new})
    if isinstance(node, dict):
        key_type, value_type = _entry(annotation)
        if last and change.remove:
            return {k: v for k, v in node.items() if k != key} if key in node else node
        convert(key, key_type, path, root)
        if not last and key not in node:
            raise _absent(key, node, path[:depth], root)
        old = node.get(key)
        new = _put(old, value_type, path, depth + 1, change, root)
        return node if key in node and _same(old, new) else {**node, key: new}
    raise InvalidValueError(
        f"{naming.call(path[:depth], root)} has no parts.",
        hint="Set it as a whole.",
    )


def _absent(key: str, node: dict[str, Any], path: Path, root: Struct) -> InvalidValueError:
    if path == ("layers",):
        names = ", ".join(repr(layer.name) for layer in node.values())
        return InvalidValueError(
            f"There is no layer {key!r}, or not any more.", hint=f"There are: {names or 'none'}."
        )
    return InvalidValueError(
        f"{naming.call(path, root)} has no {key!r}.",
        hint=f"There are: {', '.join(map(repr, node)) or 'none'}.",
    )


def _same(old: Any, new: Any) -> bool:
    """Equal in value and type: 1 and True, or 0.0 and -0.0, count as the same nowhere in JSON."""
    return old is new or (type(old) is type(new) and bool(old == new))


def convert(value: object, annotation: Any, path: Sequence[str], root: Any = None) -> Any:
    """`value` as an instance of the type, validated.

    Parameters
    ----------
    value : object
        A struct, JSON-like builtins, or NumPy scalars and arrays.
    annotation : type
        Any type used in `viewer.state`.
    path : sequence of str
        Where the value goes, for the message.
    root : object, optional
        What the path is in, as `naming.call` has it.

    Raises
    ------
    InvalidValueError
        Naming place, value and the allowed ones.
    """
    try:
        plain = msgspec.to_builtins(value, enc_hook=_builtin, str_keys=True)
        bad = _unspeakable(plain)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise _refusal(value, annotation, path, root) from error
    if bad is not None:
        where, what = bad
        raise InvalidValueError(
            f"{_set((*path, *where), what, root)} is not allowed.",
            hint="Allowed: finite numbers of up to 64 bits.",
        )
    return _convert(plain, annotation, path, root)


def _convert(plain: Any, annotation: Any, path: Sequence[str], root: Any) -> Any:
    try:
        return msgspec.convert(plain, annotation)
    except msgspec.ValidationError as error:
        struct = _struct_of(annotation, plain)
        if struct is not None:  # find the field that is to blame, and speak of it alone
            for name, hint in _hints(struct).items():
                if name in plain:
                    _convert(plain[name], hint, (*path, name), root)
            for name in set(plain) - set(_hints(struct)) - {"kind"}:
                raise InvalidValueError(
                    f"{naming.whole(path, root)} has no {name!r}.",
                    hint=did_you_mean(name, _hints(struct)),
                ) from error
            missing = [f.name for f in msgspec.structs.fields(struct) if f.required]
            for name in (name for name in missing if name not in plain):
                raise InvalidValueError(
                    f"{naming.whole(path, root)} lacks {name!r}.",
                    hint=f"Needed: {', '.join(map(repr, missing))}.",
                ) from error
        raise _refusal(plain, annotation, path, root) from error


def _struct_of(annotation: Any, plain: Any) -> type[Struct] | None:
    if not isinstance(plain, dict):
        return None
    choices = typing.get_args(annotation) or (annotation,)
    structs = [c for c in choices if isinstance(c, type) and issubclass(c, Struct)]
    for struct in structs:
        if len(structs) == 1 or struct.__struct_config__.tag == plain.get("kind"):
            return struct
    return None


def _refusal(value: object, annotation: Any, path: Sequence[str], root: Any) -> InvalidValueError:
    return InvalidValueError(
        f"{_spelled(value, path, root)} is not allowed.", hint=f"Allowed: {allowed(annotation)}."
    )


def _spelled(value: object, path: Sequence[str], root: Any) -> str:
    """``"opacity=3 of 'blobs'"``, cut to a readable length."""
    try:
        text = repr(value)
    except Exception:  # a value's own broken __repr__ must not hide the refusal
        text = f"<{type(value).__name__}>"
    if len(text) > 120:
        text = text[:117] + "…"
    return _set(path, text, root)


def _set(path: Sequence[str], text: str, root: Any) -> str:
    return f"{naming.attribute(path)}={text}{naming.owner(path, root)}"


_COUNTS = ("no", "one", "two", "three", "four")


def allowed(annotation: Any) -> str:
    """The allowed values of a type, as a person would say it: ``"a number from 0 to 1"``."""
    return _allowed(msgspec.inspect.type_info(annotation))


def _allowed(info: Any) -> str:
    match info:
        case msgspec.inspect.FloatType():
            return "a finite number" + _range(info)
        case msgspec.inspect.IntType():
            return "a whole number" + _range(info)
        case msgspec.inspect.BoolType():
            return "True or False"
        case msgspec.inspect.LiteralType():
            return "one of " + ", ".join(repr(value) for value in info.values)
        case msgspec.inspect.StrType():
            if info.pattern and "#" in info.pattern:
                return "a colour like '#ff8800'"
            most = "" if info.max_length is None else f" of at most {info.max_length} characters"
            return "a decimal label like '17'" if info.pattern else f"text{most}"
        case msgspec.inspect.NoneType():
            return "None"
        case msgspec.inspect.UnionType():
            return " or ".join(_allowed(part) for part in info.types)
        case msgspec.inspect.TupleType() if len(set(map(repr, info.item_types))) == 1:
            each = _allowed(info.item_types[0]).removeprefix("a ").replace("number", "numbers")
            return f"{_COUNTS[len(info.item_types)]} {each}"
        case msgspec.inspect.TupleType():
            return "(" + ", ".join(_allowed(part) for part in info.item_types) + ")"
        case msgspec.inspect.VarTupleType():
            return "a sequence, each " + _allowed(info.item_type)
        case msgspec.inspect.ListType():
            return f"a list, each {_allowed(info.item_type)}"
        case msgspec.inspect.DictType():
            return f"a dict, keys {_allowed(info.key_type)}, values {_allowed(info.value_type)}"
        case msgspec.inspect.StructType():
            fields = ", ".join(part.name for part in info.fields)
            return f"a dict with the fields {fields}"
        case _:
            return "what JSON can say: text, finite numbers, booleans, None, lists and dicts"


def _range(info: Any) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {_number(info.ge)} to {_number(info.le)}"
    return f" greater than {info.gt:g}" if info.gt is not None else ""


def _builtin(value: Any) -> Any:
    """NumPy scalars and arrays as builtins, without importing numpy here."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _unspeakable(value: Any, path: Path = ()) -> tuple[Path, str] | None:
    """Where in a tree of builtins is a number that JSON cannot say, and which; None for nowhere."""
    if isinstance(value, str):
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, float):
        return None if math.isfinite(value) else (path, repr(value))
    elif isinstance(value, int):
        return None if -(2**63) <= value < 2**64 else (path, repr(value)[:40])
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode()
            if bad := _unspeakable(item, (*path, key)):
                return bad
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            if bad := _unspeakable(item, (*path, str(number))):
                return bad
    return None


@functools.cache
def _hints(struct: type[Struct]) -> dict[str, Any]:
    return typing.get_type_hints(struct, include_extras=True)


@functools.cache
def _entry(annotation: Any) -> tuple[Any, Any]:
    """Types of keys and values of a dict annotation; what is below `Any` is `Any`."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not dict:
        return Any, Any
    key, value = typing.get_args(annotation)
    return key, value


def _number(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"
