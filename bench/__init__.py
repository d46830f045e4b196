"""Measurements. Nothing here is shipped; ``python -m bench.planning`` measures planners on made-up towns and graphs."""
