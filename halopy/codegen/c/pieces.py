"""Cut, join and pick the lanes of vectors that are held in register-sized pieces.

gcc lowers vectors wider than a register through memory, lane by lane where it must (32 lanes of u16 in
128 bytes, divided by 3: 273 instructions, against 2x9 in pieces). So no C vector is wider than a register.
"""

from __future__ import annotations

from collections.abc import Sequence

from .context import Context
from .types import ATOM, C_TYPES, POSTFIX, UNARY, Text, Vec, bits_of, power_of_two_above, storages


def grain_of(context: Context, element: str, lanes: int) -> int:
    """Lanes per piece: those that fill a register, or all when there are fewer."""
    full = max(2, 8 * context.vector_bytes // bits_of(element))
    return min(full, power_of_two_above(lanes))


def canonical(context: Context, vec: Vec) -> Vec:
    """The vector in pieces that fill a register."""
    return regrain(context, vec, grain_of(context, vec.element, vec.lanes))


def regrain(context: Context, vec: Vec, grain: int) -> Vec:
    """The same vector cut at another grain; a splat gets its parts."""
    if vec.splat is not None:
        return spread(context, vec, grain)
    grain = min(grain, power_of_two_above(vec.lanes))
    if grain == vec.grain:
        return vec
    return pick(context, (vec,), range(vec.lanes), grain)


def spread(context: Context, vec: Vec, grain: int) -> Vec:
    """A splat as parts: one register that all parts share."""
    assert vec.splat is not None
    parts: dict[int, Text] = {}
    grain = min(grain, power_of_two_above(vec.lanes))
    sizes = storages(vec.lanes, grain)
    for size in sizes:
        if size not in parts:
            parts[size] = splat_text(context, vec, size)
    return Vec(vec.element, vec.lanes, grain, tuple(parts[size] for size in sizes), vec.is_mask)


def splat_text(context: Context, vec: Vec, lanes: int) -> Text:
    """One piece with the splat's value in all lanes."""
    assert vec.splat is not None
    name = context.vector_c_type(vec.element, lanes)
    value = vec.splat
    if value.is_literal and value.code in ("0", "0u", "0ull", "0ll", "0.0f", "0.0"):
        return Text(f"({name}){{0}}", POSTFIX)
    if vec.element == "f16":
        return Text(f"({name}){{{', '.join([value.code] * lanes)}}}", POSTFIX)
    # A float minus 0.0 is itself, signed zeros included; both compilers make one broadcast of it.
    return Text(f"({value.code} - ({name}){{0}})", ATOM)


def pick(context: Context, sources: Sequence[Vec], indices: Sequence[int], grain: int | None = None) -> Vec:
    """The lanes at `indices` of the concatenated sources, as a vector cut at `grain`."""
    first = sources[0]
    pieces, places = _lanes_of(context, sources)
    lanes = len(indices)
    grain = min(grain or grain_of(context, first.element, lanes), power_of_two_above(lanes))
    parts, start = [], 0
    for size in storages(lanes, grain):
        wanted = [places[i] for i in indices[start : start + size]]
        parts.append(_piece(context, first.element, pieces, wanted, size))
        start += size
    return Vec(first.element, lanes, grain, tuple(parts), first.is_mask)


_Piece = tuple[Text, int]  # a register and its lane count


def _lanes_of(context: Context, sources: Sequence[Vec]) -> tuple[list[_Piece], list[tuple[int, int]]]:
    """All pieces, named, and for each lane of the concatenation its (piece, lane)."""
    pieces: list[_Piece] = []
    places: list[tuple[int, int]] = []
    for source in sources:
        if source.splat is not None:
            source = spread(context, source, grain_of(context, source.element, source.lanes))
        named = context.name_vector(source)
        left = source.lanes
        for text, size in zip(named.parts, storages(source.lanes, source.grain), strict=True):
            places.extend((len(pieces), lane) for lane in range(min(size, left)))
            pieces.append((text, size))
            left -= size
    return pieces, places


def _piece(context: Context, element: str, pieces: list[_Piece], wanted: list[tuple[int, int]], size: int) -> Text:
    """A register of `size` lanes, the first of them `wanted`."""
    used = list(dict.fromkeys(piece for piece, _ in wanted))
    text, width = pieces[used[0]]
    if len(used) == 1 and width == size and all(lane == k for k, (_, lane) in enumerate(wanted)):
        return text
    if _are_whole(wanted, [(piece, pieces[piece][1]) for piece in used], size) and width * bits_of(element) >= 128:
        return Text(
            f"({context.vector_c_type(element, size)}){_joined(context, element, [pieces[k] for k in used])}", UNARY
        )
    return _place(context, element, pieces, dict(enumerate(wanted)), size)


def _are_whole(wanted: list[tuple[int, int]], used: list[tuple[int, int]], size: int) -> bool:
    """Whether these pieces stand one after the other, whole, and are as many as halves and quarters of a whole are."""
    widths = {width for _, width in used}
    if len(used) not in (2, 4, 8) or len(widths) > 1 or len(used) * used[0][1] != size:
        return False
    return wanted == [(piece, lane) for piece, width in used for lane in range(width)]


def _joined(context: Context, element: str, parts: list[_Piece]) -> str:
    """Two halves side by side: of 64-bit lanes, gcc sees that nothing moves within them."""
    width = len(parts) * parts[0][1] * bits_of(element) // 64
    if len(parts) == 1:
        return f"({context.vector_c_type('u64', width)}){parts[0][0].at(UNARY)}"
    half = len(parts) // 2
    context.vector_c_type("u64", width)
    sides = (_joined(context, element, side) for side in (parts[:half], parts[half:]))
    return f"__builtin_shufflevector({', '.join(sides)}, {', '.join(map(str, range(width)))})"


def _place(context: Context, element: str, pieces: list[_Piece], wanted: dict[int, tuple[int, int]], size: int) -> Text:
    """A register of `size` lanes with (piece, lane) at each wanted position; other positions mean nothing."""
    used = list(dict.fromkeys(piece for piece, _ in wanted.values()))
    if len(used) == 1:
        piece = _grown(context, element, pieces[used[0]], size)
        return _rearranged(context, element, piece, [wanted.get(k, (0, -1))[1] for k in range(size)])
    if len(used) == 2:
        (a, a_width), (b, b_width) = (_grown(context, element, pieces[k], size) for k in used)
        width = max(a_width, b_width)
        a, b = (_widened(context, element, text, own, width) for text, own in ((a, a_width), (b, b_width)))
        offset = {used[0]: 0, used[1]: width}
        return _shuffle(a, b, [offset[wanted[k][0]] + wanted[k][1] if k in wanted else -1 for k in range(size)])
    # Each half of the pieces puts its lanes where they belong; a blend joins them.
    first = set(used[: (len(used) + 1) // 2])
    halves = [{k: w for k, w in wanted.items() if (w[0] in first) is side} for side in (True, False)]
    c_type = context.vector_c_type(element, size)
    a, b = (context.local(c_type, _place(context, element, pieces, half, size)) for half in halves)
    return _shuffle(a, b, [k if k in halves[0] else size + k if k in halves[1] else -1 for k in range(size)])


def _grown(context: Context, element: str, piece: _Piece, size: int) -> _Piece:
    """At least half as wide as what it is shuffled into: gcc grows a vector more than twice through memory."""
    text, width = piece
    if 2 * width >= size:
        return piece
    bits = width * bits_of(element)
    if bits >= 128:
        return _grown(context, element, (_widened(context, element, text, width, 2 * width), 2 * width), size)
    number = f"u{bits}"
    c_type, whole = context.vector_c_type(element, size), context.vector_c_type(number, size // width)
    return context.local(c_type, Text(f"({c_type})({whole}){{({C_TYPES[number]}){text.at(UNARY)}}}", UNARY)), size


def _widened(context: Context, element: str, text: Text, width: int, wanted: int) -> Text:
    if width == wanted:
        return text
    wide = _shuffle(text, text, [k if k < width else -1 for k in range(wanted)])
    return context.local(context.vector_c_type(element, wanted), wide)


def _rearranged(context: Context, element: str, piece: _Piece, lanes: Sequence[int]) -> Text:
    text, width = piece
    if element == "f64" and width == len(lanes) == 8:
        # gcc 12 mixes up eight doubles (0, 1, 5, 3, 4, 5, 6, 7 takes lane 3 for lane 5), but not eight integers.
        as_integers = Text(f"({context.vector_c_type('i64', 8)}){text.at(UNARY)}", UNARY)
        return Text(f"(f64x8){_shuffle(as_integers, as_integers, lanes).code}", UNARY)
    return _shuffle(text, text, lanes)


def _shuffle(a: Text, b: Text, lanes: Sequence[int]) -> Text:
    return Text(f"__builtin_shufflevector({a.code}, {b.code}, {', '.join(map(str, lanes))})", POSTFIX)
