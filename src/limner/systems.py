"""What differs between operating systems."""

import sys

WINDOWS = sys.platform == "win32"
CASELESS = WINDOWS or sys.platform == "darwin"
"""Whether A and a are usually the same file, and so are two spellings of an accent."""
