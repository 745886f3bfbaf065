"""Rules: conditions over a customer, her cart and the request, written in CEL (cel.dev), as in `customer.tier == "gold" && cart.total > 900`.

Windowed functions say what a customer did of late; their arguments are written out, and bounded:

    views("shoes", 7)   views of a category, type, colour or brand ("red shoes": of both) in the last 7 days, today among them
    searched("shoes", 7)   terms with these words searched for in the last 7 days, while she has bought nothing since
    spent(90)           net spend of the last 90 days, major units
    days_since("purchase")   since the last one; unknown where there was none

    ||  &&  !  ( )  ==  !=  <  <=  >  >=  in [ … ]  + - * /  "text"  startsWith  endsWith  contains  matches  size

CEL's `compile` checks the syntax only: names, functions and types show when a part is run, and a part behind `&&` may not be run for weeks. So
`Rule.parse` takes a rule apart into its comparisons and runs each of them alone, on values of the declared kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from models.clauses import Clauses, clauses
from models.errors import ValetError
from models.rule_words import Token, depths, enclosed, tokens_of
from models.toml import Place

if TYPE_CHECKING:
    from cel import Context, Program

Kind = Literal["text", "number", "flag"]
Name = Kind | tuple[str, ...]  # what stands under a name: of a kind, or one of these texts
Names = Mapping[str, Name]  # "customer.tier" -> what stands there
Value = str | float | bool

UNKNOWN = float("nan")  # a number that nobody knows: less, more or equal never holds
METHODS = ("startsWith", "endsWith", "contains", "matches", "size")
FUNCTIONS = ("size",)
MOMENTS = (
    "purchase", "event", "view", "cart", "search", "email_sent", "email_open", "email_click", "email_bounce", "unsubscribe", "complaint",
    "complaint_resolved", "support_contact", "refund", "dislike",
)  # fmt: skip
Argument = tuple[int, int] | tuple[str, ...]  # a whole number from … to …, or one of these texts; (): any text
WINDOWED: Mapping[str, tuple[Argument, ...]] = {
    "views": ((), (1, 30)),
    "searched": ((), (1, 30)),
    "spent": ((1, 365),),
    "days_since": (MOMENTS,),
}
MACROS = ("has", "all", "exists", "exists_one", "map", "filter")
SAMPLES: Mapping[Kind, tuple[Value, ...]] = {"text": ("", "x"), "number": (0.0, 1.5), "flag": (False, True)}
RAISED = (TypeError, ValueError, KeyError, RuntimeError, ArithmeticError)  # what CEL raises when it runs


class RuleFailedError(ValetError):
    """A rule could not be decided on this context; whoever asked counts it and takes it for false."""


@dataclass(frozen=True)
class Rule:
    """A condition that is ready to be asked.

    names      the names it reads; a context need not hold more
    functions  the windowed functions that it calls
    clauses    the same without CEL, where it is plain enough (models.clauses)
    """

    source: str
    names: frozenset[str]
    program: Program
    functions: frozenset[str] = frozenset()
    clauses: Clauses | None = None

    @classmethod
    def parse(cls, source: str, names: Names, place: Place) -> Rule:
        """The rule in a CEL text over declared names. Raises InputError at `place` for what does not parse, is unknown or cannot be compared."""
        tokens = tokens_of(source, place)
        read = _check_names(tokens, names, place)
        called = _check_windows(tokens, place)
        program = _compile(source)
        if isinstance(program, str):
            raise place.error(program)
        rule = cls(source, frozenset(read), program, frozenset(called), clauses(tokens))
        for part in _comparisons(tokens, place):
            _check_choices(part, names, place)
            compared = source[part[0].start : part[-1].end]
            wrong = _wrong(compared, frozenset((name, kind_of(names[name])) for name in read if name in compared))
            if wrong:
                raise place.error(wrong)
        return rule

    def holds(self, context: Context) -> bool:
        """Whether it holds. Raises RuleFailedError where CEL cannot say; a comparison with an unknown number is such a case."""
        try:
            return self.program.execute(context) is True
        except RAISED as error:
            raise RuleFailedError(f"{self.source}: {error}") from error


def context(values: Mapping[str, Value], functions: Mapping[str, Callable[..., float]] | None = None) -> Context:
    """A context of dotted names, for any rule that reads no others and calls no others. Numbers are floats: CEL does not add 1 to 1.5."""
    import cel  # noqa: PLC0415  (half a second of every start, for shops that have rules)

    nested: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        inner = nested
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return cel.Context(nested, dict(functions)) if functions else cel.Context(nested)


def kind_of(name: Name) -> Kind:
    """Of what kind the values under a declared name are."""
    return "text" if isinstance(name, tuple) else name


def is_a(kind: Kind, value: object) -> bool:
    """Whether a plain value is of this kind."""
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str if kind == "text" else bool)


def _compile(source: str) -> Program | str:
    """The program of a text, or what is wrong with it."""
    import cel  # noqa: PLC0415  (see context)

    try:
        return cel.compile(source)
    except ValueError as error:
        said = str(error).split("ERROR: <input>:", 1)[-1].split("\n", 1)[0].split(" expecting", 1)[0]
        return f"{source!r} does not parse, at {said}"


def _check_names(tokens: Sequence[Token], names: Names, place: Place) -> set[str]:
    """The declared names that are read; an InputError for any other word."""
    read: set[str] = set()
    for before, token in zip([None, *tokens], tokens, strict=False):
        owner, _, function = token.text.rpartition(".")
        method = bool(owner) or (before is not None and before.text == ".")
        if token.kind == "call":
            _check_function(function, method, place)
        name = owner if token.kind == "call" else token.text
        if token.kind in ("name", "call") and name and name not in ("true", "false", "in"):
            if name not in names:
                raise place.error(f"{name!r} is unknown; known here: {', '.join(sorted(names))}")
            read.add(name)
    return read


def _check_function(function: str, method: bool, place: Place) -> None:
    if function in MACROS:
        raise place.error(f"{function}() goes through lists, and there are none here; compare with ==, in, && and ||")
    known = METHODS if method else (*FUNCTIONS, *WINDOWED)
    if function not in known:
        raise place.error(f"{function}() is no function; known here: {', '.join(known)}")


def _check_windows(tokens: Sequence[Token], place: Place) -> set[str]:
    """The windowed functions that are called; an InputError for an argument that is none."""
    called: set[str] = set()
    for at, token in enumerate(tokens):
        if token.kind == "call" and token.text in WINDOWED:
            _check_arguments(token.text, list(takewhile(lambda word: word.text != ")", tokens[at + 2 :])), place)
            called.add(token.text)
    return called


def _check_arguments(name: str, given: Sequence[Token], place: Place) -> None:
    """The arguments stand between commas, each a literal that the function takes."""
    wanted = WINDOWED[name]
    if len(given) != 2 * len(wanted) - 1 or any(token.text != "," for token in given[1::2]):
        raise place.error(f"{name}() is written {_written(name)}, with nothing reckoned inside")
    for token, argument in zip(given[::2], wanted, strict=True):
        number = bool(argument) and isinstance(argument[0], int)
        if token.kind != ("number" if number else "text"):
            raise place.error(f"{name}({token.text}): write {_written(name)}")
        if number and not (token.text.isdigit() and argument[0] <= int(token.text) <= argument[1]):  # type: ignore[operator]
            raise place.error(f"{name}({token.text}): whole days from {argument[0]} to {argument[1]}")
        if not number and argument and token.text[1:-1] not in argument:
            raise place.error(f"{name}({token.text}) is never known; known here: {', '.join(map(str, argument))}")


def _written(name: str) -> str:
    return {
        "views": 'views("shoes", 7)',
        "searched": 'searched("shoes", 7)',
        "spent": "spent(90)",
        "days_since": 'days_since("purchase")',
    }[name]


def _comparisons(tokens: Sequence[Token], place: Place) -> Iterator[Sequence[Token]]:
    """The parts between `&&`, `||`, `!` and brackets around conditions: each is true or false alone."""
    while tokens and (tokens[0].text == "!" or enclosed(tokens)):
        tokens = tokens[1:] if tokens[0].text == "!" else tokens[1:-1]
    joints = [at for at, depth in depths(tokens) if depth == 0 and tokens[at].text in ("&&", "||")]
    if not joints:
        if any(token.text in ("&&", "||") for token in tokens):
            raise place.error("compares conditions; join them with && and || only")
        yield tokens
        return
    for start, end in zip([-1, *joints], [*joints, len(tokens)], strict=True):
        yield from _comparisons(tokens[start + 1 : end], place)


def _check_choices(part: Sequence[Token], names: Names, place: Place) -> None:
    """What is said to be equal must be able to be: of one kind, and one of the choices where a name has some."""
    part = _reckoned(part)
    signs = {token.text for token in part if token.kind in ("sign", "call")} | {"in"} & {token.text for token in part}
    if not signs & {"==", "!=", "in"} or signs - {"==", "!=", "in", "[", "]", ",", "-"}:
        return
    stands = [names[token.text] for token in part if token.text in names and token.kind == "name"]
    kinds = {kind_of(name) for name in stands} | {kind for token in part if (kind := _literal(token))}
    if len(kinds) > 1:
        raise place.error(f"a {' and a '.join(sorted(kinds))} are never equal; texts stand in quotes, numbers do not")
    for choices in (name for name in stands if isinstance(name, tuple)):
        for token in part:
            if token.kind == "text" and token.text[1:-1] not in choices:
                raise place.error(f"{token.text[1:-1]!r} never stands there; only {', '.join(filter(None, choices))}")


def _reckoned(part: Sequence[Token]) -> list[Token]:
    """The part with a number in place of each call of a windowed function."""
    short: list[Token] = []
    inside = False
    for token in part:
        if token.kind == "call" and token.text in WINDOWED:
            short.append(token._replace(kind="number", text="0"))
            inside = True
        elif not inside:
            short.append(token)
        inside = inside and token.text != ")"
    return short


def _literal(token: Token) -> Kind | None:
    if token.kind in ("text", "number"):
        return "text" if token.kind == "text" else "number"
    return "flag" if token.text in ("true", "false") else None


@lru_cache(maxsize=1 << 14)
def _wrong(source: str, kinds: frozenset[tuple[str, Kind]]) -> str | None:
    """Run a comparison on values of the declared kinds: what is wrong where it does not say true or false. Many rules have the same ones."""
    program = _compile(source)
    if isinstance(program, str):
        return program
    for sample in (0, 1):
        values = {name: (*SAMPLES[kind], *SAMPLES[kind])[sample] for name, kind in kinds}
        try:
            answer = program.execute(context(values, dict.fromkeys(WINDOWED, _sample(float(sample)))))
        except RAISED as error:
            return f"{source!r} cannot be decided: {_plain(error)}"
        if not isinstance(answer, bool):
            return f"{source!r} is {answer!r}; compare it, so that it is true or false"
    return None


def _sample(value: float) -> Callable[..., float]:
    return lambda *_: value


def _plain(error: Exception) -> str:
    if isinstance(error, TypeError):
        return "its parts are of different kinds; reckon with 1.0 instead of 1, and put texts in quotes"
    return " ".join(str(error).split()).split(". ", 1)[0]
