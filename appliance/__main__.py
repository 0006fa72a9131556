"""In: the command line. Out: the exit code of CLI `appliance`."""

import sys

from appliance.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
