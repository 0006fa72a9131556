"""One server-sent event stream a tab: a snapshot, then numbered changes, a heartbeat, and a way to resume."""
