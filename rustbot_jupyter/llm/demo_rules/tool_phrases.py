"""The phrases that ask for a built-in tool. Each pattern is matched with the whole text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection

from rustbot_jupyter.llm.demo_rules.glossary import glossary_answer
from rustbot_jupyter.llm.demo_rules.plots import Plot, plot_in
from rustbot_jupyter.llm.demo_rules.recipes import RECIPES
from rustbot_jupyter.llm.demo_rules.syntax import parsed
from rustbot_jupyter.llm.demo_rules.tool_arguments import unquoted
from rustbot_jupyter.llm.demo_rules.tool_wish import ToolWish, code_wish, command_wish

MOST_PHRASE = 600
"""Characters of a phrase that holds neither code nor text to be written."""
CLOSING = re.compile(r"(?:[\s,]*(?:please|for me|thanks|thank you))?[\s?.!]*\Z", re.IGNORECASE)
"""Marks and politeness at the end."""


def phrase_wish(core: str) -> ToolWish | None:
    """The wish in a text without politeness; None if it is none of the phrases."""
    if len(core) <= MOST_PHRASE:
        short = CLOSING.sub("", core)
        for patterns, wish in _PHRASES:
            for pattern in patterns:
                match = pattern.fullmatch(short)
                found = wish(match) if match else None
                if found is not None:
                    return found
        if plot := plot_in(short):
            return _plotted(plot)
        if found := _recipe_figure(short):
            return found
    return _long_phrase(core)


def _long_phrase(core: str) -> ToolWish | None:
    """Phrases that hold code or text of the user's, which keeps its closing marks."""
    for pattern, wish in _LONG_PHRASES:
        match = pattern.fullmatch(core)
        found = wish(match) if match else None
        if found is not None:
            return found
    return None


def _plotted(plot: Plot) -> ToolWish:
    if not plot.frame:
        said = f"I'll look which data frame has `{plot.y}`."
        return ToolWish(tool="list_variables", said=said, then="run_code", plot=plot, is_certain=False)
    values = ((plot.code(plot.frame),),)
    return ToolWish(tool="run_code", said=f"I'll draw `{plot.title}` from `{plot.frame}`.", values=values)


def _recipe_figure(text: str) -> ToolWish | None:
    if not re.match(
        r"(?:plot|draw|show(?: me)?) (?:me )?(?:a|the|some) (?:sine?|figure|plot|chart)\b", text, re.IGNORECASE
    ):
        return None
    (recipe,) = (recipe for recipe in RECIPES if recipe.words.startswith("plot"))
    return ToolWish(tool="run_code", said="I'll draw one.", values=((recipe.code.strip(),),), is_certain=False)


def _list(match: re.Match[str]) -> ToolWish:
    return ToolWish(tool="list_variables", said="I'll look at your variables.")


def _describe_frames(match: re.Match[str]) -> ToolWish:
    return ToolWish(tool="list_variables", said="I'll look which data frames there are.", then="describe_variable")


def _describe(match: re.Match[str]) -> ToolWish | None:
    names = re.findall(r"[^\W\d]\w*", re.sub(r"\band\b", " ", match["names"]))
    is_sure = bool(match.groupdict().get("sure")) or "`" in match["names"]
    if not is_sure and (glossary_answer(match.group()) or _NO_NAMES & {name.lower() for name in names}):
        return None
    return ToolWish(
        tool="describe_variable", said=f"I'll look at {_listed(names)}.", values=tuple((name,) for name in names)
    )


_NO_NAMES = {
    *("it", "this", "that", "them", "everything", "yourself", "rustbot", "me", "you", "us", "there", "a", "an", "the"),
    *("here", "jupyter", "python", "binder", "openrouter", "settings", "events", "new", "up", "wrong", "happening"),
    *("what", "my", "your", "all", "these", "those", "tools", "approval", "cells", "messages", "markdown", "maths"),
}


def _listed(names: Collection[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _evaluate(expression: str) -> ToolWish:
    said = f"I'll evaluate `{expression}`." if "`" not in expression else "I'll evaluate it."
    return ToolWish(tool="evaluate", said=said, values=((expression,),))


def _expression(match: re.Match[str]) -> ToolWish:
    return _evaluate(unquoted(match["expression"]) if match["expression"].startswith("`") else match["expression"])


def _asked_expression(match: re.Match[str]) -> ToolWish | None:
    """ "What is len(df)?", when it is Python with a name in it and more than one."""
    expression = match["expression"].strip("`")
    try:
        nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    has_name = any(isinstance(node, ast.Name) for node in nodes)
    is_more = any(isinstance(node, ast.Call | ast.Attribute | ast.Subscript | ast.BinOp) for node in nodes)
    if not (has_name and is_more) or _FILE_LIKE.fullmatch(expression):
        return None
    return _evaluate(expression)


def _made(template: str) -> Callable[[re.Match[str]], ToolWish]:
    return lambda match: _evaluate(template.format(**match.groupdict()))


def _statistic(match: re.Match[str]) -> ToolWish:
    column = unquoted(match["column"])
    return _evaluate(f"{match['name']}[{column!r}].{_STATISTICS[match['what'].lower()]}()")


_STATISTICS = {
    **dict.fromkeys(("mean", "average"), "mean"),
    **dict.fromkeys(("sum", "total"), "sum"),
    **dict.fromkeys(("maximum", "max", "highest", "largest", "biggest"), "max"),
    **dict.fromkeys(("minimum", "min", "lowest", "smallest"), "min"),
    "median": "median",
}


def _typed_code(match: re.Match[str]) -> ToolWish | None:
    code = unquoted(match["code"]) if match["code"].startswith("`") else match["code"].strip()
    return code_wish(code) if match.groupdict().get("sure") or _is_python(code) else None


def _is_python(code: str) -> bool:
    """True if it parses and is no single word, as "run tests" would be."""
    tree = parsed(code)
    if isinstance(tree, SyntaxError):
        return False
    return not (len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Name))


def _command(match: re.Match[str]) -> ToolWish:
    return command_wish(unquoted(match["command"]))


def _on_path(tool: str, said: str) -> Callable[[re.Match[str]], ToolWish | None]:
    def wish(match: re.Match[str]) -> ToolWish | None:
        path = unquoted(match["path"])
        is_quoted = match["path"][0] in "\"'"
        if not (is_quoted or match.groupdict().get("sure") or _FILE_LIKE.fullmatch(path)):
            return None
        return ToolWish(tool=tool, said=said.format(path=f"`{path}`"), values=((path,),))

    return wish


def _list_files(match: re.Match[str]) -> ToolWish:
    path = unquoted(match["path"] or "")
    where = f" in `{path}`" if path else ""
    return ToolWish(
        tool="list_files", said=f"I'll look which files there are{where}.", values=((path,) if path else (),)
    )


def _find_files(match: re.Match[str]) -> ToolWish | None:
    ending = match.groupdict().get("ending")
    pattern = f"**/*.{ending.lower().lstrip('.')}" if ending else unquoted(match["pattern"])
    if not ending and not re.search(r"[*?.]", pattern):
        return None
    return ToolWish(tool="find_files", said=f"I'll look for `{pattern}`.", values=((pattern,),))


def _search(match: re.Match[str]) -> ToolWish:
    word, path = unquoted(match["word"]), unquoted(match.groupdict().get("path") or "")
    said = f"I'll search the files for “{word}”."
    return ToolWish(tool="search_files", said=said, values=((word, path) if path else (word,),))


def _write(match: re.Match[str]) -> ToolWish | None:
    path, text = _path_in(match), unquoted(match["text"])
    if not (match.groupdict().get("sure") or _FILE_LIKE.fullmatch(path)):
        return None
    return ToolWish(tool="write_file", said=f"I'll write `{path}`.", values=((path, text),))


def _path_in(match: re.Match[str]) -> str:
    return unquoted(match["path"].rstrip(".!?"))


def _edit(match: re.Match[str]) -> ToolWish | None:
    path = _path_in(match)
    if not _FILE_LIKE.fullmatch(path):
        return None
    values = ((path, unquoted(match["old"]), unquoted(match["new"])),)
    return ToolWish(tool="edit_file", said=f"I'll change `{path}`.", values=values)


def _error(match: re.Match[str]) -> ToolWish:
    return ToolWish(tool="last_error", said="I'll look at the last error.")


def _cells(match: re.Match[str]) -> ToolWish:
    count = match.groupdict().get("count")
    return ToolWish(tool="recent_cells", said="I'll look at your last cells.", values=((count,) if count else (),))


def _fetch(match: re.Match[str]) -> ToolWish:
    address = match["url"].rstrip(".,;!?")
    return ToolWish(tool="fetch_page", said=f"I'll fetch {address}", values=((address,),))


def _web(match: re.Match[str]) -> ToolWish:
    words = unquoted(match["words"])
    return ToolWish(tool="web_search", said=f"I'll search the web for “{words}”.", values=((words,),))


def _system(match: re.Match[str]) -> ToolWish:
    topic = next((topic for words, topic in _TOPICS if re.search(words, match.group(), re.IGNORECASE)), "")
    return ToolWish(tool="system_info", said="I'll look at this system.", values=((topic,) if topic else (),))


_TOPICS = (
    (r"\b(?:memory|ram)\b", "memory"),
    (r"\b(?:disk|space)\b", "disk"),
    (r"\b(?:cpus?|cores|processors)\b", "cpu"),
    (r"\bpackages\b", "packages"),
    (r"\b(?:python|platform|os|operating system|machine|computer)\b", "platform"),
)


def _package(match: re.Match[str]) -> ToolWish:
    name = match["package"]
    said = f"I'll look for `{name}` among the packages."
    return ToolWish(tool="system_info", said=said, values=(("packages", name),), is_certain=False)


def _time(match: re.Match[str]) -> ToolWish:
    return ToolWish(tool="system_info", said="I'll look at the clock.", values=(("time",),), is_certain=False)


_NAME = r"`?(?P<name>[^\W\d]\w*)`?"
_NAMES = r"(?P<names>`?[^\W\d]\w*`?(?:(?:,| and|, and) `?[^\W\d]\w*`?){0,7})"

_SURE = r"(?P<sure>variables?|(?:data ?)?frames?|series|arrays?|tables?|objects?) "
_KIND = rf"(?:{_SURE})?(?:list |dict |function )?"
_THE = r"(?: the| my)?(?: list| variable| table| data ?frame| frame)?"
_FRAMES = r"(?:data ?frames?|frames|tables)"
_PATH = r"(?P<path>\"[^\"\n]+\"|'[^'\n]+'|`[^`\n]+`|[^\s\"'`]+)"
_FILE_LIKE = re.compile(
    r"(?:[~.]{0,2}/)?(?:[\w@+.-]+/)*(?:[\w@+-][\w@+.-]*\.[A-Za-z]\w{0,9}|\.[A-Za-z][\w.-]*|[\w@+-]+(?<=/))|\S*/\S*"
)
_FOLDER = (
    r"(?: (?:in|of|under|from) (?:the |my |this )?(?:folder |directory )?" + _PATH + r"(?: (?:folder|directory))?)?"
)
_URL = r"(?P<url>https?://\S+)"
_SHOW = r"(?:show|list|give|print|name|tell)(?: me)?"
_COLUMN = r"(?:the )?(?:column )?(?P<column>`[^`]+`|\"[^\"]+\"|'[^']+'|[^\W\d]\w*)"

Phrases = tuple[tuple[re.Pattern[str], ...], Callable[[re.Match[str]], ToolWish | None]]


def _matching(wish: Callable[[re.Match[str]], ToolWish | None], *patterns: str) -> Phrases:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns), wish


_PHRASES: tuple[Phrases, ...] = (
    _matching(
        _fetch,
        r"(?:fetch|get|open|read|load|download|visit|browse|summari[sz]e|look at)"
        r"(?: me)?(?: the)?(?: web)?(?: ?page| site| url| "
        rf"address| text)?(?: (?:at|of|from))? ?{_URL}",
        rf"what(?:'s| is| does)(?: the)? ?(?:page)?(?: on| at| in)? ?{_URL}(?: say| about)?",
        _URL,
    ),
    _matching(
        _web,
        r"(?:search|look|browse)(?: on| in)? (?:the )?(?:web|internet|online|net)(?: for|:) (?P<words>.{2,400})",
        r"(?:search|look) (?:for )?(?P<words>.{2,400}?)(?: up)? (?:on|in) (?:the )?(?:web|internet)",
        r"(?:search|look) online for (?P<words>.{2,400})",
        r"look up (?P<words>.{2,400}) online",
        r"web ?search(?: for|:) ?(?P<words>.{2,400})",
        r"google (?P<words>.{2,400})",
    ),
    _matching(
        _describe_frames,
        r"(?:describe|summari[sz]e|explain|inspect|look at|show(?: me)?) (?:all|each|every|my)(?: of)?(?: the|"
        rf" my)?(?: of my)? {_FRAMES}",
        rf"(?:tell me )?(?:about|what(?:'s| is) in) (?:all|each|every|my)(?: of)?(?: the| my)? {_FRAMES}",
        rf"what (?:do|are) (?:all )?my {_FRAMES}(?: contain| hold| look like| about)?",
    ),
    _matching(
        _list,
        rf"(?:what|which) (?:variables|names|objects|data|{_FRAMES}|variables and {_FRAMES})"
        r" (?:do (?:i|we|you) (?:have|see|know)|have i(?: got)?|are (?:there|defined|available|set|in .{2,40})|"
        r"exist|can you see|"
        r"did i (?:make|define|create))(?: .{1,40})?",
        rf"{_SHOW}(?: all)?(?: of)?(?: my| the)?(?: current| existing| defined)? (?:variables|names|namespace|"
        rf"{_FRAMES})"
        r"(?: .{1,40})?",
        r"what(?:'s| is) (?:in|inside) (?:my |the )?(?:(?:python )?(?:memory|namespace|workspace|session|kernel|"
        r"notebook))",
        r"what do (?:i|we) have (?:in .{2,40}|here|so far)|(?:my |list )?variables|what have i (?:defined|got)|whos?",
    ),
    _matching(
        _error,
        r"(?:what (?:was|is|were)|what's|show(?: me)?|explain|look at|describe|tell me about|why .{0,20})"
        r" ?(?:the|my|that|this) (?:last|latest|newest|recent|previous|most recent) (?:error|exception|traceback|"
        r"failure)(?: .{1,30})?",
        r"what (?:just )?(?:went wrong|failed|broke)(?: (?:there|here|just now|last|in .{2,30}))?",
        r"why did (?:it|that|this|my (?:last )?cell|the (?:last )?cell|my code) (?:just )?fail",
        r"last error",
    ),
    _matching(
        _cells,
        r"what (?:did|have) (?:i|we) (?:just |last )?(?:run|execute|executed|done)(?: .{1,30})?",
        rf"(?:{_SHOW}|look at|what (?:are|were)) (?:my|the) (?:last|recent|latest|previous)(?: (?P<count>\d{{1,2}})"
        r")? cells?",
        r"recent cells|what was (?:in )?(?:my|the) (?:last|previous) cell",
    ),
    _matching(
        _time,
        r"what(?:'s| is) the time|what time is it(?: now)?|what(?:'s| is) (?:the date|today's date)|"
        r"what day is (?:it|today)",
    ),
    _matching(
        _package,
        r"(?:what|which) version of `?(?P<package>(?!python\b)[\w.-]+)`? (?:is installed|do i have|is this|is there)",
        r"is (?:the package )?`?(?P<package>[\w.-]+)`? installed",
    ),
    _matching(
        _system,
        r"(?:(?:show|tell|give)(?: me)? )?(?:the |my |about (?:the |my |this ))?system(?: ?info(?:rmation)?|"
        r" status)?",
        r"how much (?:free |available )?(?:memory|ram|disk(?: space)?|space|cpu) .{1,60}|"
        r"how much (?:free )?(?:memory|ram|disk space)",
        r"how many (?:cpus?|cores|processors)(?: .{1,40})?",
        r"(?:what|which) (?:version of python|python(?: version)?|platform|operating system|os|machine|computer|"
        r"packages)"
        r"(?: .{1,40})?",
        r"(?:is there|do i have) (?:enough|much|any) (?:memory|ram|disk space)(?: .{1,20})?",
    ),
    _matching(
        _made("len({name})"),
        rf"how many (?:rows|items|elements|entries|values|records) (?:has|are (?:there )?in|in|does|do){_THE} {_NAME}"
        r"(?: have| has| contain| hold)?",
        rf"how (?:long|big|large) is{_THE} {_NAME}",
        rf"(?:what(?:'s| is) )?the (?:length|number of rows|row count) (?:of|in){_THE} {_NAME}",
        rf"count (?:the )?rows (?:of|in){_THE} {_NAME}",
    ),
    _matching(
        _made("{name}.shape[1]"),
        rf"how many columns (?:has|are (?:there )?in|in|does){_THE} {_NAME}(?: have| has)?",
    ),
    _matching(_made("{name}.shape"), rf"(?:what(?:'s| is) )?the shape of{_THE} {_NAME}"),
    _matching(
        _made("type({name})"), rf"(?:what(?:'s| is) )?the type of{_THE} {_NAME}", rf"what type (?:is|has){_THE} {_NAME}"
    ),
    _matching(
        _statistic,
        rf"(?:(?:what(?:'s| is)|calculate|compute|tell me) )?the (?P<what>{'|'.join(_STATISTICS)})"
        r"(?: value)? (?:of |for )?"
        rf"{_COLUMN} (?:in|of|from) (?:the )?(?:data ?frame |frame )?{_NAME}",
    ),
    _matching(
        _expression,
        r"(?:evaluate|eval)(?: the)?(?: expression)?:? (?P<expression>.+)",
        r"(?:what(?:'s| is)|show me|tell me) the value of (?:the )?(?:variable |expression )?(?P<expression>.+)",
    ),
    _matching(
        _on_path("read_file", "I'll read {path}."),
        rf"(?:read|open|cat|show(?: me)?|print|display|load)(?: me)?(?: the)? (?P<sure>(?:text )?file )?{_PATH}",
        rf"what(?:'s| is) (?:written )?in (?:the )?(?P<sure>file )?{_PATH}",
        rf"what does (?:the )?(?P<sure>file )?{_PATH} (?:say|contain|hold)",
        rf"(?:show me |what(?:'s| is|are) )?the contents? of (?:the )?(?P<sure>file )?{_PATH}",
    ),
    _matching(
        _on_path("delete_file", "I'll put {path} into the trash."),
        rf"(?:delete|remove|trash|throw away)(?: the| my)? (?P<sure>file )?{_PATH}",
    ),
    _matching(
        _find_files,
        r"(?:find|locate|search for|list|show(?: me)?)(?: me)?(?: all| the| my)?(?: all)? \.?(?P<ending>csv|tsv|"
        r"json|txt|md|py|ipynb|parquet|xlsx|yaml|yml|toml|"
        r"png|jpg|svg|pdf|sql|markdown|python|notebook) files?(?: .{1,40})?",
        r"(?:find|locate)(?: me)?(?: all| the)?(?: files?)?(?: called| named| matching|"
        r" like)? (?P<pattern>\"[^\"]+\"|'[^']+'|`[^`]+`|\S+)",
        r"where is (?:the |my )?(?:file )?(?P<pattern>\"[^\"]+\"|'[^']+'|`[^`]+`|\S+)",
    ),
    _matching(
        _list_files,
        rf"{_SHOW}(?: all)?(?: of)?(?: my| the)? files{_FOLDER}(?: here)?",
        r"(?:what|which) files (?:do (?:i|we) have|are (?:there|here)|are there|exist|can you (?:see|read)"
        rf"){_FOLDER}",
        rf"what files are{_FOLDER}",
        rf"list (?:the )?(?:folder|directory)(?: {_PATH})?",
    ),
    _matching(
        _search,
        rf"(?:search|look)(?: for)? (?P<word>.{{1,200}}?) in (?:all )?(?:my |the |these |"
        rf"all )?(?:text )?files(?: (?:in|of) {_PATH})?",
        rf"search (?:in )?(?:all )?(?:my |the )?files(?: in {_PATH})? for (?:the word |"
        rf"the text )?(?P<word>.{{1,200}})",
        rf"search for (?P<word>\S{{1,80}}|\"[^\"]+\"|'[^']+'|`[^`]+`) in (?:the file )?{_PATH}",
        r"(?:find|look for) (?P<word>.{1,200}?) in (?:all )?(?:my |the )?files",
        r"(?:which|what) files? (?:contain|mention|have|say|include)s? (?:the word |the text )?(?P<word>.{1,200})",
        r"grep (?:for )?(?P<word>.{1,200})",
    ),
    _matching(
        _describe,
        rf"(?:describe|summari[sz]e|inspect|look at|show(?: me)? a summary of)(?: the| my)? {_KIND}{_NAMES}",
        rf"what(?:'s| is) (?:in|inside)(?: the| my)? {_KIND}{_NAMES}",
        rf"what (?:does|do)(?: the| my)? {_KIND}{_NAMES} (?:contain|hold|look like|have)",
        rf"(?:what|which) columns (?:does|do|has|are in)(?: the| my)? {_KIND}{_NAMES}(?: have)?",
        rf"(?:tell me about|explain|show(?: me)?)(?: the| my)? {_SURE}{_NAMES}",
        r"(?:tell me about|explain|show(?: me)?|what(?:'s| is)(?: in)?) (?P<names>`[^\W\d]\w*`)",
        rf"what(?:'s| is)(?: the| my) {_SURE}{_NAMES}",
        rf"what kind of (?:data|thing|object|value) is {_NAMES}",
    ),
    _matching(_asked_expression, r"(?:what(?:'s| is)|how much is|compute|calculate) (?P<expression>.+)"),
)
"""In this order: the first that matches and makes a wish is taken."""

_LONG_PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), wish)
    for pattern, wish in (
        (r"(?:run|execute) (?:(?:the|this) )?(?:shell )?command:?\s+(?P<command>.+)", _command),
        (r"(?:in|on) (?:the|a) (?:shell|terminal),? (?:run|execute):? (?P<command>.+)", _command),
        (r"(?:run|execute) (?P<command>[^\n]+?) in (?:the|a) (?:shell|terminal|command line)[.!]?", _command),
        (r"(?:shell|terminal|bash|command|cmd)\s*:\s*(?P<command>.+)", _command),
        (r"[$!]\s?(?P<command>[a-z][^\n]*)", _command),
        (r"(?:run|execute)(?: (?:this|the|following|python|code|my)){0,4}\s*(?P<sure>:)\s*(?P<code>\S.*)", _typed_code),
        (r"(?:run|execute)(?: (?:this|the|python))*(?: code)? (?P<code>\S.*)", _typed_code),
        (
            r"(?:write|save|put|store) (?P<text>.+?) (?:to|into|in|as) (?:the |"
            rf"a )?(?:new )?(?P<sure>file )?{_PATH}[.!]?",
            _write,
        ),
        (rf"(?:write|save) (?:to|into) (?:the )?(?P<sure>file )?{_PATH}\s*:\s*(?P<text>.+)", _write),
        (
            rf"(?:create|make|write) (?:a |the )?(?:new )?(?:text )?(?P<sure>file )?(?:called |named )?{_PATH} "
            r"(?:with|containing|that says|saying)(?: the)?(?: text| content)?:? (?P<text>.+)",
            _write,
        ),
        (
            r"(?:replace|change) (?P<old>.{1,1000}?) (?:with|by|to|into) (?P<new>.{1,1000}?) in (?:the )?(?:file )?"
            rf"{_PATH}[.!]?",
            _edit,
        ),
    )
)
