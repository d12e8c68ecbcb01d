"""`python -m rustbot_jupyter` is the `rustbot` command."""

from rustbot_jupyter.cli import main

raise SystemExit(main())
