"""Generate the reference pages of the names that backends and plugins import, from the source of `tallystick`."""

import ast
import inspect
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import tallystick
from tallystick import async_bridge, backends, diagnostics, errors, urls, user_warnings
from tallystick.config import settings
from tallystick.contract import (
    attempt_errors,
    changes,
    failure,
    filters,
    meta,
    outcomes,
    records,
    registers,
    schedules,
    validation,
)
from tallystick.contract.registers import meters, workers
from tallystick.contract.schedules import advance, due, new_schedule, parsing, rule, schedule, tick_ids
from tallystick.hooks import hookspecs, plugins
from tallystick.jobs import (
    batch_definition,
    context,
    control,
    declaration,
    define,
    definition,
    handle,
    job_base,
    options,
    retry,
)
from tallystick.runner import enqueueing, job_result, runner
from tallystick.worker import snapshot

Documented = ast.ClassDef | ast.FunctionDef | ast.Assign | ast.AnnAssign


def records_page() -> str:
    """Return the page of the values that a store receives and returns."""
    more = (_sections(_exported(module), module, level=2) for module in (failure, filters))
    return "\n".join([_page("Records", records, _exported(records)), *more])


def registers_page() -> str:
    """Return the page of the values of schedules, workers and meters."""
    modules = [
        parsing,
        rule,
        new_schedule,
        schedule,
        due,
        advance,
        tick_ids,
        meta,
        attempt_errors,
        changes,
        workers,
        meters,
    ]
    heads = [paragraphs(package.__doc__ or "") for package in (schedules, registers)]
    head = "\n".join(["# Schedules, workers and meters\n", *heads])
    return "\n".join([head, *(_sections(_exported(module), module, level=2) for module in modules)])


def outcomes_page() -> str:
    """Return the page of the outcomes of an attempt."""
    return _page("Outcomes", outcomes, _exported(outcomes))


def errors_page() -> str:
    """Return the page of the error classes and the warnings. `errors.toml` has their causes and remedies.

    Raises:
        LookupError: The file lacks an error, or has one that does not exist.
    """
    classes = {
        node.name: node
        for module in (errors, user_warnings)
        for node in _nodes(module)
        if isinstance(node, ast.ClassDef)
    }
    advice = tomllib.loads(Path(__file__).with_name("errors.toml").read_text("utf-8"))
    shown = [name for name in classes if not name.startswith("_")]
    if differ := advice.keys() ^ {*shown} - {"TallystickError"}:
        raise LookupError(f"docs/errors.toml and the classes differ on {sorted(differ)}")
    tree = "\n".join(_branch("TallystickError", classes, depth=0))
    warnings = paragraphs(user_warnings.__doc__ or "")
    warned = "\n".join(_branch("TallystickWarning", classes, depth=0))
    sections = [_error(classes[name], advice[name]) for name in shown if name in advice]
    return (
        f"# Errors\n\n{paragraphs(errors.__doc__ or '')}\n"
        "Below the two lists, each error and each warning has a section: why it occurs, and what to do.\n\n"
        f"{tree}\n\n{warnings}\n{warned}\n\n{''.join(sections)}"
    )


def _branch(name: str, classes: dict[str, ast.ClassDef], depth: int) -> Iterator[str]:
    if shown := not name.startswith("_"):
        link = f"`{name}`" if name == "TallystickError" else f"[`{name}`](#{name.lower()})"
        yield f"{'  ' * depth}- {link}: {_summary(classes[name])}"
    for other, node in classes.items():
        if name in map(ast.unparse, node.bases):
            yield from _branch(other, classes, depth + shown)


def _summary(node: ast.ClassDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())


def _error(node: ast.ClassDef, advice: dict[str, str]) -> str:
    return f"## {node.name}\n\n{_summary(node)}\n\n**Why:** {advice['why']}\n\n**What to do:** {advice['do']}\n\n"


def helpers_page() -> str:
    """Return the page of the helpers for backends."""
    modules = {f"backends.{name}": getattr(backends, name) for name in backends.__all__}
    modules |= {"validation": validation, "urls": urls, "diagnostics": diagnostics}
    head = (
        "# Helpers\n\n`tallystick` exports these modules and functions for backends.\n\n## backends\n\n"
        f"{paragraphs(backends.__doc__ or '')}"
    )
    parts = [
        f"## {name}\n\n{paragraphs(module.__doc__ or '')}\n{_sections(_public(module), module, level=3)}"
        for name, module in modules.items()
    ]
    functions = [_sections(_exported(module), module, level=3) for module in (plugins, async_bridge)]
    return "\n".join([head, *parts, "## Functions\n", *functions])


def hooks_page() -> str:
    """Return the page of the hooks that a plugin can implement."""
    hooks = {name for name in _public(hookspecs) if name.startswith("tallystick_")}
    return _page("Hooks", hookspecs, hooks)


API = {
    "Jobs": [job_base, define, definition, batch_definition, declaration],
    "Options of a kind": [options, retry],
    "Options of an enqueue": [enqueueing],
    "Inside a handler": [context, control],
    "Handles and results": [handle, job_result],
    "Settings": [settings],
    "Numbers": [snapshot],
}
"""The modules with the names that applications import, apart from the runner."""

_OPTIONS = {"BatchOptions", "EnqueueOptions"}
"""The keyword arguments of `enqueue`. They are shown, although no application imports them."""

_INTERNAL = {"after_fork_in_child", "of_class", "of_function", "of_declaration", "of_batch", "of_types", "model_config"}
"""Public names that only the core uses."""


def api_page() -> str:
    """Return the page of the names that applications import."""
    head = (
        "# Reference\n\nThe names that an application imports from `tallystick`. Other pages list the "
        "[fields of a record](records.md#record) and of a [filter](records.md#filter), the [errors](errors.md), the "
        "[hooks](hooks.md), and the [schedules, workers and meters](registers.md). [Test your jobs](testing.md) "
        "describes `tallystick.testing`. Most methods of a runner have an async variant: `aenqueue`, `aresult` and so "
        "on.\n\n## Runner\n\n"
    )
    bases = [base for base in runner.Runner.__mro__ if base.__module__.startswith("tallystick.")]
    members = "\n".join(_runner_members(sys.modules[base.__module__], base.__name__) for base in bases)
    parts = [
        f"## {title}\n\n"
        + "\n".join(_sections(_exported(module) | _shown(module), module, level=3) for module in modules)
        for title, modules in API.items()
    ]
    return "\n".join([head + paragraphs(inspect.getdoc(runner.Runner) or ""), members, *parts])


def _runner_members(module: ModuleType, name: str) -> str:
    [node] = [node for node in _nodes(module) if isinstance(node, ast.ClassDef) and node.name == name]
    node.name = "Runner"
    return "".join(_members(node, 3))


def _shown(module: ModuleType) -> set[str]:
    return _public(module) & _OPTIONS


def _page(title: str, module: ModuleType, names: Iterable[str]) -> str:
    return f"# {title}\n\n{paragraphs(module.__doc__ or '')}\n{_sections(names, module, level=2)}"


def _exported(module: ModuleType) -> set[str]:
    return _public(module) & set(tallystick.__all__)


def _public(module: ModuleType) -> set[str]:
    return {name for node in _nodes(module) if not (name := _name(node)).startswith("_")}


def _nodes(module: ModuleType) -> Iterator[Documented]:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    yield from (node for node in tree.body if isinstance(node, Documented))


def _name(node: Documented) -> str:
    match node:
        case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target):
            return ast.unparse(target)
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
    raise AssertionError(node)


def _sections(names: Iterable[str], module: ModuleType, *, level: int) -> str:
    """Return a section for each of these names, in the order of the module."""
    text = Path(str(module.__file__)).read_text("utf-8")
    body = ast.parse(text).body
    wanted = set(names)
    return "\n".join(
        _section(node, after, level)
        for node, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(node, Documented) and _name(node) in wanted and _doc(node, after)
    )


def _section(node: Documented, after: ast.stmt | None, level: int) -> str:
    inner = "".join(_members(node, level + 1)) if isinstance(node, ast.ClassDef) else ""
    return (
        f"{'#' * level} {_name(node)}\n\n```text\n{_declaration(node)}\n```\n\n{paragraphs(_doc(node, after))}{inner}"
    )


def _members(node: ast.ClassDef, level: int) -> Iterator[str]:
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and _is_for_users(member):
            signature, doc = _declaration(member), paragraphs(ast.get_docstring(member) or "")
            yield f"\n{'#' * level} {node.name}.{member.name}\n\n```text\n{signature}\n```\n\n{doc}"


def _is_for_users(member: ast.FunctionDef) -> bool:
    is_overload = "overload" in map(ast.unparse, member.decorator_list)
    return not (is_overload or member.name.startswith("_") or member.name in _INTERNAL)


def _declaration(node: Documented) -> str:
    """Return a class with its fields, a function without its body, or an assignment, as source."""
    match node:
        case ast.ClassDef(name=name, bases=bases):
            head = f"class {name}({', '.join(map(ast.unparse, bases))}):" if bases else f"class {name}:"
            values = [one for one in node.body if isinstance(one, ast.Assign | ast.AnnAssign)]
            fields = [ast.unparse(one) for one in values if _name(one) not in _INTERNAL]
            return "\n".join([head, *(f"    {field}" for field in fields)])
        case ast.FunctionDef():
            bare = ast.FunctionDef(
                name=node.name, args=node.args, body=[ast.Pass()], decorator_list=[], returns=node.returns
            )
            return ast.unparse(ast.fix_missing_locations(bare)).removesuffix("\n    pass").removesuffix(":")
    return ast.unparse(node)


def _doc(node: Documented, after: ast.stmt | None) -> str:
    """Return the docstring of a definition. The docstring of an assignment is the string below it."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return ast.get_docstring(node) or ""
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return after.value.value
    return ""


def paragraphs(doc: str) -> str:
    """Convert a Google-style docstring to Markdown. The entries of its sections become list items."""
    lines: list[str] = []
    labelled = False
    for line in textwrap.dedent(doc).splitlines():
        label, colon, rest = line.partition(":")
        if colon and line and not line.startswith((" ", "-", "`")) and " " not in label and label.istitle():
            lines.append(f"\n**{label}:**{rest}" if rest else f"\n**{label}:**\n")
            labelled = True
        elif line.startswith("    ") and labelled:
            named, colon, rest = line.strip().partition(": ")
            is_entry = colon and all(map(str.isidentifier, named.split(", ")))
            lines.append(f"- `{named}`: {rest}" if is_entry else line.strip())
        else:
            lines.append(line)
            labelled = labelled and not line
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip() + "\n"
