"""Where `limner` and `python -m limner` start; launchers of several processes need the latter."""

import sys


def main() -> int:
    """The command, `cli.main`; Ctrl-C is answered in one line while that is being imported, too."""
    try:
        from limner import cli
    except KeyboardInterrupt:
        print("limner: interrupted", file=sys.stderr)
        return 130
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
