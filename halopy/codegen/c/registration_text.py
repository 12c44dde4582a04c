"""C++ that tells a program about functions when it starts: what drivers such as Halide's RunGen are linked with."""

from __future__ import annotations

from collections.abc import Sequence

from ..interface import Interface

_HEAD = """\
extern "C" {
struct halide_filter_metadata_t;
void halide_register_argv_and_metadata(int (*function)(void **), const struct halide_filter_metadata_t *about,
                                       const char *const *pairs);
}

#ifdef HALIDE_REGISTER_EXTRA_KEY_VALUE_PAIRS_FUNC
extern "C" const char *const *HALIDE_REGISTER_EXTRA_KEY_VALUE_PAIRS_FUNC();
#define HALOPY_PAIRS HALIDE_REGISTER_EXTRA_KEY_VALUE_PAIRS_FUNC()
#else
#define HALOPY_PAIRS nullptr
#endif
"""


def registration_text(interfaces: Sequence[Interface]) -> str:
    """The file. Several of them in one are a file too."""
    return "\n".join([_HEAD, *map(_registration, interfaces), "#undef HALOPY_PAIRS", ""])


def _registration(interface: Interface) -> str:
    opening = "".join(f"namespace {space} {{ " for space in interface.namespaces)
    closing = "}" * len(interface.namespaces)
    if not interface.mangled:
        opening, closing = 'extern "C" {', "}"
    full = "::".join([*interface.namespaces, interface.name])
    own = "_".join([*interface.namespaces, interface.name])
    return f"""\
{opening}
extern int {interface.name}_argv(void **args);
extern const struct halide_filter_metadata_t *{interface.name}_metadata();
{closing}

namespace halopy_registration_{own} {{
struct Registered {{
    Registered() {{ halide_register_argv_and_metadata(::{full}_argv, ::{full}_metadata(), HALOPY_PAIRS); }}
}};
static Registered registered;
}}
"""
