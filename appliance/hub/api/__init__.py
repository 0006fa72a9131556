"""The hub's JSON over HTTP: `live` (what is now), `past` (what was), `orders` (commands to devices)."""
