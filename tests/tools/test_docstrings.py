"""What a docstring says of a function and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustbot_jupyter.tools.docstrings import describe_function


def with_doc(text: str | None) -> Callable[..., Any]:
    def function() -> None:
        pass

    function.__doc__ = text
    return function


GOOGLE = """Look up the weather.

    Only for cities. Units: degrees.

    Args:
        city: Name of the city,
            in English.
        days (int, optional): How many days.
        *units: More: with a colon.
        deep (dict[str, int]): A mapping.

    Returns:
        Text.
    """
NUMPY = """Look up the weather.

    Only for cities. Units: degrees.

    Parameters
    ----------
    city : str
        Name of the city,
        in English.
    days : int, optional
        How many days.
    units
        More: with a colon.
    deep : dict
        A mapping.

    Returns
    -------
    str
        Text.
    """
SPHINX = """Look up the weather.

    Only for cities. Units: degrees.

    :param city: Name of the city,
        in English.
    :param int days: How many days.
    :param units: More: with a colon.
    :param dict[str, int] deep: A mapping.
    :type deep: dict
    :return: Text.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_three_styles_say_the_same(text: str):
    description, parameters = describe_function(with_doc(text))

    assert description == "Look up the weather.\n\nOnly for cities. Units: degrees."
    assert parameters == {
        "city": "Name of the city, in English.",
        "days": "How many days.",
        "units": "More: with a colon.",
        "deep": "A mapping.",
    }


@pytest.mark.parametrize(
    ("text", "description", "parameters"),
    [
        (None, "", {}),
        ("", "", {}),
        ("One line.", "One line.", {}),
        ("One.\n\nTwo:\n  - list\n", "One.\n\nTwo:\n  - list", {}),
        ("\nArgs:\n    a: First.", "", {"a": "First."}),
        ("X.\n\nArgs:\n\n    a: First.\n\n    b: Second.\n", "X.", {"a": "First.", "b": "Second."}),
        ("X.\n\nArguments:\n    a: First.\nNotes:\n    b: not one", "X.", {"a": "First."}),
        ("X.\n\nArgs:\n    a: First.\n\nText at the margin.", "X.", {"a": "First."}),
        ("X.\n\nReturns:\n    a: not one", "X.", {}),
        ("X.\n\nRaises:\n    ValueError: no parameter\n\nArgs:\n    a: First.", "X.", {"a": "First."}),
        ("X.\n\nArgs:\n    a:\n        Below.\n    b:", "X.", {"a": "Below.", "b": ""}),
        ("X.\n\nArgs:\n    a (Callable[[int], str]): With brackets.", "X.", {"a": "With brackets."}),
        ("X.\n\nArgs:\n    a (tuple(int)): Nested.", "X.", {"a": "Nested."}),
        ("X.\n\nParameters\n----------\na, b : int\n    Both.", "X.", {"a": "Both.", "b": "Both."}),
        ("X.\n\n:param a: First.\n:raises ValueError: never", "X.", {"a": "First."}),
        ("X.\n\n:param a: First\n    goes on.\n\nmore text", "X.", {"a": "First goes on."}),
        ("X.\n\n@param a: epydoc", "X.", {"a": "epydoc"}),
    ],
)
def test_odd_docstrings(text: str | None, description: str, parameters: dict[str, str]):
    assert describe_function(with_doc(text)) == (description, parameters)


@given(st.text(alphabet="ab :*-\n\t()[]Args:Parameters", max_size=300))
def test_any_docstring_is_read(text: str):
    description, parameters = describe_function(with_doc(text))

    assert len(description) <= len(text.expandtabs())
    assert all(name.isidentifier() for name in parameters)


def test_a_long_docstring_is_read_quickly():
    text = "X.\n\nArgs:\n" + "\n".join(f"    p{number}: Text of {number}." for number in range(5_000))

    assert len(describe_function(with_doc(text))[1]) == 5_000


BARE = ["to: Whom it goes to.", "why: The reason,", "    in a word."]
FORMS = {
    "Args first": ["Args:", *(f"    {line}" for line in BARE)],
    "Args in the first line": ["\n    Args:", *(f"        {line}" for line in BARE)],
    "Arguments": ["Send.", "", "    Arguments:", *(f"        {line}" for line in BARE)],
    "Parameters with a colon": ["Send.", "", "    Parameters:", *(f"        {line}" for line in BARE)],
    "Parameters first, of numpy": [
        *("\n    Parameters", "    ----------", "    to : str", "        Whom it goes to."),
        *("    why", "        The reason,", "        in a word."),
    ],
    "Parameters in the first line, of numpy": [
        *("Parameters", "    ----------", "    to: str", "        Whom it goes to."),
        *("    why : str, optional", "        The reason,", "        in a word."),
    ],
    "indented sections": [
        "Send.",
        "      Args:",
        *(f"        {line}" for line in BARE),
        "      Returns:",
        "        x: y",
    ],
    "bullets": [
        "Send.",
        "",
        "    Args:",
        "        - to: Whom it goes to.",
        "        - `why` (str): The reason,",
        "          in a word.",
    ],
    "dashes": [
        "Send.",
        "",
        "    Args:",
        "        to -- Whom it goes to.",
        "        why -- The reason,",
        "            in a word.",
    ],
    "epytext": [
        "Send.",
        "",
        "    @param to: Whom it goes to.",
        "    @param why: The reason,",
        "        in a word.",
        "    @return: x",
    ],
    "sphinx": [
        "Send.",
        "",
        "    :param str to: Whom it goes to.",
        "    :type to: str",
        "    :param why: The reason,",
        "        in a word.",
    ],
    "sphinx first": [
        ":param to: Whom it goes to.",
        "    :arg why: The reason,",
        "        in a word.",
        "    :returns: x",
    ],
    "two sections": [
        "Send.",
        "",
        "    Args:",
        "        to: Whom it goes to.",
        "",
        "    Keyword Args:",
        "        why: The reason, in a word.",
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_parameters_are_described_in_all_forms_that_people_write(form):
    text, parameters = describe_function(with_doc("\n".join([*FORMS[form], "    "])))

    assert parameters == {"to": "Whom it goes to.", "why": "The reason, in a word."}
    assert text in ("Send.", "")
