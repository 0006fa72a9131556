"""Every test runs in the program's own environment: the package comes before any library that a test loads."""

import appliance  # noqa: F401 - its first lines are what is wanted
