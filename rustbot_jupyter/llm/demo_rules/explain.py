"""An explanation of a piece of Python, read from its syntax tree: parts, steps, and pitfalls."""

from __future__ import annotations

import ast
import builtins

from rustbot_jupyter.llm.demo_rules.syntax import mend_syntax, parsed

MOST_STEPS = 15


def explanation_of(code: str) -> str:
    """The parts of the code, its steps in order, and common traps found in it."""
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return _unreadable(code, tree)
    lines = len([line for line in code.splitlines() if line.strip()])
    steps = [step for statement in tree.body for step in _steps(statement)]
    shown = [f"{number}. {step}" for number, step in enumerate(steps[:MOST_STEPS], 1)]
    if len(steps) > MOST_STEPS:
        shown.append(f"\n… and {len(steps) - MOST_STEPS} more steps.")
    parts = [f"{_sentence(_inventory(tree, lines))}\n\n**Step by step**", "\n".join(shown)]
    if traps := _traps(tree):
        parts += ["**Worth a second look**", "\n".join(f"- {trap}" for trap in traps)]
    parts.append("I read this from the syntax; what the code is *for*, only a real model (or you) can say.")
    return "\n\n".join(parts)


def _unreadable(code: str, error: SyntaxError) -> str:
    said = f"Python cannot read this code: *{error.msg}*, in line {error.lineno or 1}."
    mended = mend_syntax(code)
    if mended is None:
        return f"{said} If it is another language, I have to pass: my rules know Python only."
    return f"{said} {mended.change}\n\n```python\n{mended.code}\n```\n\nIt parses now."


def _inventory(tree: ast.Module, lines: int) -> str:
    nodes = list(ast.walk(tree))
    counted = (
        ("function", sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)),
        ("class", sum(isinstance(node, ast.ClassDef) for node in nodes)),
        ("loop", sum(isinstance(node, ast.For | ast.While | ast.AsyncFor) for node in nodes)),
        ("condition", sum(isinstance(node, ast.If | ast.IfExp) for node in nodes)),
        (
            "comprehension",
            sum(isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) for node in nodes),
        ),
        ("import", sum(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)),
    )
    parts = [_amount(count, word) for word, count in counted if count]
    return f"This is {_amount(lines, 'line')} of Python" + (f" with {_and(parts)}" if parts else "")


def _steps(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Import(names=names):
            return [f"Imports {_and([_imported(name) for name in names])}."]
        case ast.ImportFrom(module=module, names=names):
            return [f"Takes {_and([f'`{name.name}`' for name in names])} from `{module or '.'}`{_known(module or '')}."]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [_function(statement)]
        case ast.ClassDef():
            return [_class(statement)]
        case ast.Expr(value=ast.Constant(value=str())):
            return []
        case _:
            return [_sentence(_doing(statement))]


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    takes = f"takes {_and([f'`{name}`' for name in arguments])}" if arguments else "takes nothing"
    kind = "coroutine" if isinstance(node, ast.AsyncFunctionDef) else "function"
    body = [part for part in node.body if not _is_docstring(part)]
    doing = "; then it ".join(_doing(part) for part in body[:5])
    doing += "; and so on" if len(body) > 5 else ""
    told = ast.get_docstring(node)
    about = f" Its docstring says: *{told.splitlines()[0]}*" if told else ""
    called = any(
        isinstance(part, ast.Call) and _name(part.func) == node.name for stmt in node.body for part in ast.walk(stmt)
    )
    recursive = " It calls itself (recursion)." if called else ""
    return f"Defines the {kind} `{node.name}`, which {takes}. It {doing or 'does nothing'}.{recursive}{about}"


def _class(node: ast.ClassDef) -> str:
    methods = [part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    bases = f", based on {_and([_code(base) for base in node.bases])}" if node.bases else ""
    having = f", with the methods {_and([f'`{name}`' for name in methods])}" if methods else ""
    if len(methods) == 1:
        having = f", with the method `{methods[0]}`"
    told = ast.get_docstring(node)
    about = f" Its docstring says: *{told.splitlines()[0]}*" if told else ""
    return f"Defines the class `{node.name}`{bases}{having}.{about}"


def _doing(node: ast.stmt) -> str:
    """Return what a statement does, as a verb phrase in the third person."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return f"sets {_and([_code(target) for target in targets])} to {_value(value)}"
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return f"sets {_code(target)} to {_value(value)}"
        case ast.AnnAssign(target=target, annotation=annotation):
            return f"declares {_code(target)} as {_code(annotation)}"
        case ast.AugAssign(target=target, op=op, value=value):
            return _augmented(target, op, value)
        case ast.For(target=target, iter=items, body=body) | ast.AsyncFor(target=target, iter=items, body=body):
            return f"goes through {_value(items)}, and for each {_code(target)} {_block(body)}"
        case ast.While(test=test, body=body):
            return f"repeats as long as {_code(test)}: {_block(body)}"
        case ast.If(test=test, body=body, orelse=orelse):
            other = f"; otherwise {_block(orelse)}" if orelse else ""
            return f"if {_code(test)}, {_block(body)}{other}"
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            opened = _and([_code(item.context_expr) for item in items])
            return f"with {opened} open, {_block(body)}, and closes it again whatever happens"
        case ast.Try(body=body, handlers=handlers):
            caught = _and([_code(handler.type) if handler.type else "any error" for handler in handlers])
            return f"tries this: {_block(body)}" + (f"; catches {caught}" if handlers else "")
        case ast.Return(value=ast.expr() as value):
            return f"returns {_value(value)}"
        case ast.Return():
            return "returns"
        case ast.Raise(exc=ast.expr() as exc):
            return f"raises {_code(exc)}"
        case ast.Assert(test=test):
            return f"insists that {_code(test)}"
        case ast.Delete(targets=targets):
            return f"deletes {_and([_code(target) for target in targets])}"
        case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
            return f"hands out {_code(value)} and waits until the next one is wanted"
        case ast.Expr(value=value):
            return _expression(value)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"defines a function `{name}` inside"
        case ast.Break():
            return "leaves the loop"
        case ast.Continue():
            return "goes on with the next round"
        case ast.Pass():
            return "does nothing"
        case _:
            return f"runs {_code(node)}"


def _augmented(target: ast.expr, op: ast.operator, value: ast.expr) -> str:
    match op:
        case ast.Add():
            return f"adds {_code(value)} to {_code(target)}"
        case ast.Sub():
            return f"takes {_code(value)} off {_code(target)}"
        case ast.Mult():
            return f"multiplies {_code(target)} by {_code(value)}"
        case ast.Div():
            return f"divides {_code(target)} by {_code(value)}"
        case _:
            return f"changes {_code(target)} with {_code(value)}"


def _block(body: list[ast.stmt]) -> str:
    return ", ".join(_doing(part) for part in body[:3]) + (", and more" if len(body) > 3 else "")


_CALLS = {
    "print": "prints {args}",
    "display": "shows {args}",
    "len": "the length of {args}",
    "sum": "the sum of {args}",
    "max": "the largest of {args}",
    "min": "the smallest of {args}",
    "sorted": "{args} in order, as a new list",
    "range": "the numbers of {call}",
    "open": "the opened file {args}",
    "read_csv": "a data frame read from {args}",
    "read_excel": "a data frame read from the workbook {args}",
    "read_parquet": "a data frame read from {args}",
    "read_json": "a data frame read from the JSON {args}",
    "DataFrame": "a new data frame",
    "groupby": "{owner}, split into groups by {args}",
    "merge": "{owner}, joined with {args}",
    "sort_values": "{owner}, sorted by {args}",
    "dropna": "{owner} without its rows that have missing values",
    "fillna": "{owner} with its missing values filled by {args}",
    "enumerate": "{args} with a running number",
    "zip": "{args} side by side",
    "show": "shows {owner}",
    "append": "appends {args} to {owner}",
    "extend": "adds all items of {args} to {owner}",
    "join": "the pieces {args}, joined by {owner}",
    "split": "{owner}, split into pieces",
    "strip": "{owner} without blanks at its ends",
    "mean": "the mean of {owner}",
}
_ACTIONS = {"print", "display", "show", "append", "extend"}


def _call(node: ast.Call) -> str | None:
    """Return what a well-known call gives or does; None for any other."""
    name = _name(node.func)
    template = _CALLS.get(name)
    owner = _code(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    if template is None or ("{owner}" in template and not owner) or ("{args}" in template and not node.args):
        return None
    return template.format(args=_and([_code(argument) for argument in node.args]), owner=owner, call=_code(node))


def _value(node: ast.expr) -> str:
    match node:
        case ast.Call() if _name(node.func) not in _ACTIONS and (told := _call(node)):
            return told if _name(node.func) == "range" else f"{told} ({_code(node)})"
        case ast.ListComp(generators=generators):
            return f"a list made of {_code(node.elt)} for each item of {_code(generators[0].iter)}"
        case ast.DictComp(generators=generators):
            return f"a dictionary with one entry for each item of {_code(generators[0].iter)}"
        case ast.List(elts=items):
            return f"a list of {_amount(len(items), 'item')}" if items else "an empty list"
        case ast.Dict(keys=keys):
            return f"a dictionary with {_amount(len(keys), 'key')}" if keys else "an empty dictionary"
        case ast.Lambda():
            return f"a small function, {_code(node)}"
        case _:
            return _code(node)


def _expression(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        told = _call(node) if _name(node.func) in _ACTIONS else None
        return told or f"calls {_code(node)}"
    if isinstance(node, ast.Await):
        return f"waits for {_code(node.value)}"
    return f"shows {_code(node)}"


_MODULES = {
    "pandas": "data frames",
    "numpy": "arrays and numerics",
    "matplotlib.pyplot": "plots",
    "plotly.express": "interactive figures",
    "plotly.graph_objects": "interactive figures",
    "seaborn": "statistical plots",
    "sklearn": "machine learning",
    "math": "mathematical functions",
    "re": "regular expressions",
    "json": "JSON",
    "os": "the operating system",
    "sys": "the interpreter",
    "pathlib": "file paths",
    "datetime": "dates and times",
    "collections": "special containers",
    "itertools": "building blocks for loops",
    "random": "random numbers",
    "requests": "web requests",
    "httpx": "web requests",
    "asyncio": "asynchronous code",
    "time": "clocks and waiting",
}


def _imported(alias: ast.alias) -> str:
    return f"`{alias.name}`" + (f" as `{alias.asname}`" if alias.asname else "") + _known(alias.name)


def _known(module: str) -> str:
    about = _MODULES.get(module) or _MODULES.get(module.split(".")[0])
    return f" ({about})" if about else ""


def _traps(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, args=ast.arguments(defaults=defaults)) if any(
                isinstance(default, ast.List | ast.Dict | ast.Set) for default in defaults
            ):
                found.append(
                    f"`{name}` has a list, dictionary or set as default: all calls share it. Use `None` and make it "
                    f"inside."
                )
            case ast.ExceptHandler(type=None):
                found.append("A bare `except:` also catches typing mistakes and Stop. Name the exceptions you expect.")
            case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
                found.append("Compare with `None` by `is` or `is not`.")
            case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Call(func=ast.Name(id="len"))])):
                found.append("`for i in range(len(x))` can be `for i, item in enumerate(x)`.")
            case ast.Name(id=name, ctx=ast.Store()) if name in _EASILY_SHADOWED:
                found.append(f"The variable `{name}` hides the built-in `{name}` from here on.")
            case ast.While(test=ast.Constant(value=True), body=body) if not any(
                isinstance(part, ast.Break | ast.Return | ast.Raise | ast.Yield)
                for stmt in body
                for part in ast.walk(stmt)
            ):
                found.append("`while True` without `break` or `return` never ends.")
    return list(dict.fromkeys([*found, *_unused_imports(tree)]))


_EASILY_SHADOWED = {
    "list",
    "dict",
    "set",
    "str",
    "int",
    "sum",
    "max",
    "min",
    "id",
    "input",
    "type",
    "len",
    "map",
    "filter",
    "all",
} & set(dir(builtins))


def _unused_imports(tree: ast.Module) -> list[str]:
    aliases = [
        alias for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    ]
    names = {(alias.asname or alias.name).split(".")[0] for alias in aliases} - {"*", "annotations"}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    only_imports = all(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)
    return [] if only_imports else [f"`{name}` is imported and not used in this code." for name in sorted(names - used)]


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _code(node: ast.AST) -> str:
    text = _short(ast.unparse(node))
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _short(text: str, limit: int = 70) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _amount(count: int, word: str) -> str:
    plural = "classes" if word == "class" else f"{word}s"
    return f"one {word}" if count == 1 else f"{count} {plural}"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}" if parts else "nothing"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
