"""C code generation: `print_c` turns a lowered kernel into one C file."""

from .kernel_text import print_c

__all__ = ["print_c"]
