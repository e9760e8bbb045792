"""``python -m dmcvr``."""

import sys

from .cli import main

sys.exit(main())
