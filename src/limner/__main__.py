"""`python -m limner`, the same as `limner`; what launchers of several processes need."""

import sys

from limner.cli import main

sys.exit(main())
