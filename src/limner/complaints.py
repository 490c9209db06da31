"""What tyro says of arguments that it does not understand, in one line and in plain words."""

import re
from difflib import get_close_matches

PLAIN = (
    (r"no type matching.*<class '(?:int|float)'>: (.*)", r"\1"),
    (r"no type matching.*input length (\d+) did not match expected argument count (\d+).*", r"\1 given, expected \2"),
    (r"no type matching.* arguments:? (\[[^]]*\]).*", r"\1 cannot be understood"),
    (r"invalid literal for int\(\) with base 10: (.*)", r"\1 is no whole number"),
    (r"could not convert string to float: (.*)", r"\1 is no number"),
    (r"Expected 1 values\.", "Expected one value."),
    (r" \(applied to limner[^)]*\)(?= \S)", ","),
    (r" \(applied to limner[^)]*\)", ""),
    (r" Arguments are applied to the directly preceding subcommand, so ordering can matter\.", ""),
)


def plain(box: str) -> str:
    """The message in a complaint in one line, without its title and its frame, and what is most like what it names."""
    lines = [line.strip(" │") for line in re.sub(r"\x1b\[[0-9;]*m", "", box).splitlines()[1:]]
    rules = [k for k, line in enumerate(lines) if re.fullmatch("[─╰╯-]{3,}", line)]
    first = 1 if rules[:1] == [0] else 0
    end = next((k for k in rules if k > first), len(lines))
    message, rest = " ".join(lines[first:end]), "\n".join(lines[end:])
    for pattern, words in PLAIN:
        message = re.sub(pattern, words, message)
    if like := _like(message, rest):
        message = f"{message.strip()}: did you mean {like}?"
    return message or "the arguments cannot be understood: see limner --help"


def _like(message: str, rest: str) -> str:
    """What a complaint offers in its further parts that is most like the first thing it names; empty for nothing."""
    if not (named := re.search(r"options: ([^\s,]+)", message)):
        return ""
    if known := re.search(r"Available subcommands: (.*)", rest):
        commands = known[1].split(", ")
        return " or ".join(get_close_matches(named[1], commands, 1) or commands)
    heading = re.search(rf"(?:Perhaps you meant|similar to {re.escape(named[1])}):\s", rest)
    offered = rest[heading.end() :] if heading else ""
    offers = re.findall(r"(?ms)^(?:-\w, )?(--\w[\w.-]*).*?in (limner .*?) --help", offered)
    if not offers:
        return ""
    option, command = offers[0]
    return f"{named[1] if (named[1], command) in offers else option} (of {command})"
