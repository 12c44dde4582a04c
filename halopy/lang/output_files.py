"""What can be written of a compiled pipeline, and how it is named and linked: enumerations with Halide's members."""

from __future__ import annotations

from .expressions.numbered import Numbered


class OutputFileType(Numbered):
    """A kind of file."""

    assembly = 0
    bitcode = 1
    c_header = 2
    c_source = 3
    compiler_log = 4
    cpp_stub = 5
    featurization = 6
    function_info_header = 7
    hlpipe = 8
    llvm_assembly = 9
    object = 10
    python_extension = 11
    pytorch_wrapper = 12
    registration = 13
    schedule = 14
    static_library = 15
    stmt = 16
    conceptual_stmt = 17
    stmt_html = 18
    conceptual_stmt_html = 19
    device_code = 20


class StmtOutputFormat(Numbered):
    """How statements are written."""

    Text = 0
    HTML = 1


class LinkageType(Numbered):
    """Which functions of a pipeline others can call."""

    External = 0
    ExternalPlusMetadata = 1
    ExternalPlusArgv = 2
    Internal = 3


class NameMangling(Numbered):
    """Whether symbols are those of C or C++; Default is what the target says."""

    Default = 0
    C = 1
    CPlusPlus = 2
